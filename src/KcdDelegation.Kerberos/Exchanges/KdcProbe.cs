using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>An AS-REQ that proves no key, to find out whether a KDC of the account's realm answers.</summary>
internal sealed class KdcProbe(ExchangeContext context)
{
    /// <exception cref="KerberosException">No KDC is known, or none answered.</exception>
    public async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        var target = LogOnTarget.TicketGranting(context.Realm);
        try
        {
            var outcome = await context.SendAsync(
                context.Realm,
                KdcRequestMode.Hedged,
                () => new AsExchange(context, target, context.EncryptionTypes, preAuthentication: null, context.Clock.Offset),
                new KerberosFailure { Exchange = KerberosExchange.LogOn },
                cancellationToken).ConfigureAwait(false);
            // An account that needs no pre-authentication. The probe asks for an answer and not for a ticket.
            (outcome as AsOutcome.Ticket)?.Tgt.Dispose();
        }
        catch (KerberosException error) when (error.Code is not null)
        {
            // Any error code is an answer. The log-on reports its meaning.
        }
    }
}
