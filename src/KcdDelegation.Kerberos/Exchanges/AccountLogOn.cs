using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The AS exchange of the delegating account (RFC 4120 §3.1): asks what the KDC wants, proves the key, corrects the clock.</summary>
internal sealed class AccountLogOn(ExchangeContext context)
{
    private readonly RejectedKeys _rejected = new(context.Clock.TimeProvider);

    public async Task<IssuedTicket> RequestAsync(CancellationToken cancellationToken)
    {
        var types = ReadKeyTypes();
        var keyVersion = context.Account.Keys.Version;
        _rejected.ThrowIfRejected(keyVersion);
        try
        {
            return await LogOnAsync(types, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error)
        {
            // Every further try counts towards the account's lock-out.
            if (error.Code == KerberosErrorCode.PreAuthenticationFailed)
                _rejected.Remember(keyVersion);
            throw error.InContext(new KerberosFailure { Exchange = KerberosExchange.LogOn, Account = context.Account.Name, Realm = context.Realm });
        }
    }

    /// <summary>Reads the account's key if it has changed.</summary>
    private IReadOnlyList<EncryptionType> ReadKeyTypes()
    {
        try
        {
            context.Account.Keys.Refresh(context.Logger);
            // A keytab account offers only what it can decrypt.
            if (context.Account.Keys.AvailableTypes(context.Realm) is not { } held)
                return context.EncryptionTypes;
            EncryptionType[] types = [.. context.EncryptionTypes.Where(held.Contains)];
            return types.Length > 0 ? types : throw new KerberosException(new KerberosFailure
            {
                Exchange = KerberosExchange.Configuration,
                Reason = KerberosFailureReason.KeyUnavailable,
                Detail = $"the keytab has keys of {string.Join(", ", held)}, and the options allow {string.Join(", ", context.EncryptionTypes)}",
            });
        }
        catch (KerberosException error)
        {
            throw error.InContext(new KerberosFailure { Account = context.Account.Name, Realm = context.Realm });
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
            // A request that proves a key is never sent to two KDCs at once: a wrong key would count twice.
            var attempts = key is null ? KdcRequestMode.Hedged : KdcRequestMode.OneAtATime;
            var outcome = await context.SendAsync(context.Realm, attempts, () => new AsExchange(context, types, key, clockOffset), new KerberosFailure { Exchange = KerberosExchange.LogOn }, cancellationToken).ConfigureAwait(false);
            switch (outcome)
            {
                case AsOutcome.PreAuthenticationRequired required:
                    proof = LogOnKey.ChooseToProve(context, types, required.Hints);
                    break;
                case AsOutcome.ClockSkew skew when corrected:
                    throw skew.Error;
                case AsOutcome.ClockSkew skew:
                    offset = Correction(skew);
                    corrected = true;
                    break;
                case AsOutcome.Ticket ticket:
                    // Only now, by a reply that decrypts and whose authtime agrees, is the KDC's clock believed: an error could be forged.
                    if (corrected)
                    {
                        context.Clock.Adopt(offset);
                        ExchangeLog.ClockCorrected(context.Logger, offset, context.Realm);
                    }
                    ExchangeLog.LoggedOn(context.Logger, context.Account.Name, context.Realm, ticket.Tgt.EndTime);
                    return ticket.Tgt;
            }
        }
    }

    private TimeSpan Correction(AsOutcome.ClockSkew skew)
    {
        var offset = skew.ServerTime - context.Clock.TimeProvider.GetUtcNow();
        return offset.Duration() <= context.MaxClockCorrection
            ? offset
            : throw new KerberosException(skew.Error.Failure with { Detail = $"the KDC's clock is {offset:c} from this machine's, more than the {context.MaxClockCorrection:c} that are corrected" });
    }
}
