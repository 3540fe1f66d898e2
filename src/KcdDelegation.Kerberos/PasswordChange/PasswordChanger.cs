using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.PasswordChange;

/// <summary>The state of the account's password after a request to change it, as far as it is known.</summary>
internal abstract record PasswordChangeOutcome
{
    /// <summary>The server said, authenticated, that the password was changed.</summary>
    public sealed record Changed : PasswordChangeOutcome;

    /// <summary>The server said, authenticated, that the password was not changed.</summary>
    public sealed record Refused(PasswordResult Result) : PasswordChangeOutcome;

    /// <summary>The request may have been carried out: there was no valid answer, or the server had an error.</summary>
    public sealed record Unknown(KerberosException Error) : PasswordChangeOutcome;
}

/// <summary>The change of the account's password at the realm's password server (RFC 3244).</summary>
internal sealed class PasswordChanger(ExchangeContext context, PasswordServers servers, SingleDelivery delivery)
{
    /// <summary>Logs on with the current password and requests the change. The request is sent to one server, once.</summary>
    /// <exception cref="KerberosException">The log-on failed, or no server could be reached. The password was not changed.</exception>
    public async Task<PasswordChangeOutcome> ChangeAsync(Password current, Password replacement, CancellationToken cancellationToken)
    {
        var known = await servers.FindAsync(context.Realm, cancellationToken).ConfigureAwait(false);
        using var ticket = await LogOnAsync(current, LogOnTarget.PasswordServer, cancellationToken).ConfigureAwait(false);
        using var password = replacement.ToUtf8();
        PasswordChangeRequest? request = null;
        try
        {
            var result = await delivery.SendAsync(
                known,
                address => request = new PasswordChangeRequest(ticket, context.Clock, address, password),
                cancellationToken).ConfigureAwait(false);
            return result.Code switch
            {
                PasswordResultCode.Success => new PasswordChangeOutcome.Changed(),
                PasswordResultCode.ServerError => new PasswordChangeOutcome.Unknown(InContext(
                    KerberosException.Rejected($"the password server reports an error: {result.Text}"))),
                _ => new PasswordChangeOutcome.Refused(result),
            };
        }
        catch (KerberosException error)
        {
            return request is null ? throw InContext(error) : new PasswordChangeOutcome.Unknown(InContext(error));
        }
        finally
        {
            request?.Dispose();
        }
    }

    /// <summary>Logs on with a password, at one KDC and with one attempt.</summary>
    /// <exception cref="KerberosException">The KDC refused, or none answered.</exception>
    public async Task ConfirmAsync(Password password, CancellationToken cancellationToken)
    {
        using var ticket = await LogOnAsync(password, LogOnTarget.TicketGranting(context.Realm), cancellationToken).ConfigureAwait(false);
    }

    private Task<IssuedTicket> LogOnAsync(Password password, LogOnTarget target, CancellationToken cancellationToken)
    {
        // The account of this exchange is not disposed: it does not own the password.
        var account = ServiceAccount.FromKeys(context.Account.Name, new PasswordKeyProvider(password));
        return new AccountLogOn(context.WithAccount(account), target).RequestAsync(cancellationToken);
    }

    private KerberosException InContext(KerberosException error) =>
        error.InContext(context.Describe(new KerberosFailure { Exchange = KerberosExchange.PasswordChange }, context.Realm));
}
