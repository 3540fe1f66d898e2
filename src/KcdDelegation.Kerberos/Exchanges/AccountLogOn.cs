using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The AS exchanges that log the delegating account on (RFC 4120 §3.1).</summary>
/// <remarks>The first request has no pre-authentication, so that the KDC lists the encryption types and salts it accepts. The second
/// request proves the key. One more is sent where the clocks differ.</remarks>
/// <param name="context">The context of the account's exchanges.</param>
/// <param name="target">The service for which the ticket is, or null for the ticket-granting service.</param>
internal sealed class AccountLogOn(ExchangeContext context, LogOnTarget? target = null)
{
    /// <summary>The largest number of keys that one log-on proves: the newest one, one that is newer still, and the previous
    /// one.</summary>
    private const int MaxKeys = 3;

    private readonly LogOnTarget _target = target ?? LogOnTarget.TicketGranting(context.Realm);
    private readonly RejectedKeys _rejected = new(context.Clock.TimeProvider);

    /// <summary>Requests a ticket for the account.</summary>
    public async Task<IssuedTicket> RequestAsync(CancellationToken cancellationToken)
    {
        var types = await ReadKeyTypesAsync(cancellationToken).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            var keyVersion = context.Account.Keys.Version;
            try
            {
                if (_rejected.IsRejected(keyVersion))
                    await context.Account.Keys.ReadAgainAsync(context.Logger, cancellationToken).ConfigureAwait(false);
                keyVersion = context.Account.Keys.Version;
                _rejected.ThrowIfRejected(keyVersion);
                var ticket = await LogOnAsync(types, cancellationToken).ConfigureAwait(false);
                context.Account.Keys.NoteAccepted(keyVersion);
                return ticket;
            }
            catch (KerberosException error)
            {
                var isKeyRejected = error is
                    { Code: KerberosErrorCode.PreAuthenticationFailed, Reason: not KerberosFailureReason.KeyRejected };
                if (!isKeyRejected || attempt == MaxKeys
                    || !await context.Account.Keys.TryReplaceRejectedAsync(keyVersion, context.Logger, cancellationToken)
                        .ConfigureAwait(false))
                {
                    // Every further attempt with this key counts towards the account lockout.
                    if (isKeyRejected)
                        _rejected.Remember(keyVersion);
                    throw AddRealmName(error).InContext(
                        context.Describe(new KerberosFailure { Exchange = KerberosExchange.LogOn }, context.Realm));
                }
            }
        }
    }

    /// <summary>Adds the keytab's spelling of the realm to a refusal: MIT compares realms with their case.</summary>
    private KerberosException AddRealmName(KerberosException error)
    {
        if (error.Code is null || context.Account.Keys.GetRealmName(context.Realm) is not { } realm
            || ReplyChecks.SameRealm(realm, context.Realm))
            return error;
        var detail = $"the realm in the keytab is {realm}, but Realm is '{context.Realm}'; set Realm to {realm}";
        return new KerberosException(error.Failure with { Detail = error.Detail.Length > 0 ? $"{error.Detail}; {detail}" : detail }, error);
    }

    /// <summary>Reads the account's key again if it has changed, and returns the encryption types to offer.</summary>
    private async ValueTask<IReadOnlyList<EncryptionType>> ReadKeyTypesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await context.Account.Keys.RefreshAsync(context.Logger, cancellationToken).ConfigureAwait(false);
            // An account with a keytab offers only types for which the keytab has a key.
            if (context.Account.Keys.AvailableTypes(context.Realm) is not { } held)
                return context.EncryptionTypes;
            EncryptionType[] types = [.. context.EncryptionTypes.Where(held.Contains)];
            return types.Length > 0 ? types : throw new KerberosException(new KerberosFailure
            {
                Exchange = KerberosExchange.Configuration,
                Reason = KerberosFailureReason.KeyUnavailable,
                Detail = $"the keytab has keys of the types {string.Join(", ", held)}, " +
                    $"and EncryptionTypes allows only {string.Join(", ", context.EncryptionTypes)}",
            });
        }
        catch (KerberosException error)
        {
            throw error.InContext(context.Describe(new KerberosFailure(), context.Realm));
        }
    }

    private async Task<IssuedTicket> LogOnAsync(IReadOnlyList<EncryptionType> types, CancellationToken cancellationToken)
    {
        LogOnKey? proof = null;
        var offset = context.Clock.Offset;
        var corrected = false;
        while (true)
        {
            var (key, clockOffset) = (proof, offset);
            // A request that proves a key is never sent to two KDCs at once: a wrong key would count twice towards the account lockout.
            var mode = key is null ? KdcRequestMode.Hedged : KdcRequestMode.OneAtATime;
            var outcome = await context.SendAsync(
                context.Realm,
                mode,
                () => new AsExchange(context, _target, types, key, clockOffset),
                new KerberosFailure { Exchange = KerberosExchange.LogOn },
                cancellationToken).ConfigureAwait(false);
            switch (outcome)
            {
                case AsOutcome.PreAuthenticationRequired required:
                    proof = LogOnKey.ChooseToProve(context, types, required.Hints);
                    break;
                case AsOutcome.ClockSkew skew when corrected:
                    throw skew.Error;
                case AsOutcome.ClockSkew skew:
                    offset = GetCorrection(skew);
                    corrected = true;
                    break;
                case AsOutcome.Ticket ticket:
                    // KRB-ERROR is not authenticated. The offset is adopted only after a reply that decrypts and whose authtime agrees.
                    if (corrected)
                    {
                        context.Clock.Adopt(offset);
                        ExchangeLog.ClockCorrected(context.Logger, offset, context.Realm);
                    }
                    context.Clock.Measure(ticket.Tgt.AuthTime);
                    ExchangeLog.LoggedOn(context.Logger, context.Account.Name, context.Realm, ticket.Tgt.EndTime);
                    return ticket.Tgt;
            }
        }
    }

    /// <summary>Returns the clock offset to use for the next request.</summary>
    private TimeSpan GetCorrection(AsOutcome.ClockSkew skew)
    {
        var offset = skew.ServerTime - context.Clock.TimeProvider.GetUtcNow();
        return offset.Duration() <= context.MaxClockCorrection
            ? offset
            : throw new KerberosException(skew.Error.Failure with
            {
                Detail = $"the KDC's clock differs by {offset:c} from this machine's clock, " +
                    $"which exceeds the maximum correction of {context.MaxClockCorrection:c}",
            });
    }
}
