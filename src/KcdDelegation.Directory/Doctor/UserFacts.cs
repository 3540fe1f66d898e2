using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The facts about one user, as the delegating account sees them. Not thread-safe.</summary>
internal sealed class UserFacts(AccountFacts account, KerberosPrincipal principal)
{
    private readonly Dictionary<ServicePrincipalName, Task<TicketOutcome>> _tickets = [];
    private Task<(UserEvidence? Evidence, KerberosException? Failure)>? _evidence;
    private Task<IReadOnlyList<AccountRecord>>? _records;
    private Task<bool?>? _isKnown;

    public KerberosPrincipal Principal => principal;

    /// <summary>Gets whether the user is in the account's own domain, whose directory is asked.</summary>
    public bool IsInAccountDomain => principal.Realm is null
        || string.Equals(principal.Realm, account.Realm, StringComparison.OrdinalIgnoreCase);

    /// <summary>Requests the user's ticket to the account (S4U2Self).</summary>
    public Task<(UserEvidence? Evidence, KerberosException? Failure)> GetEvidenceAsync(CancellationToken cancellationToken) =>
        _evidence ??= RequestEvidenceAsync(cancellationToken);

    /// <summary>Requests the user's ticket to the service (S4U2Proxy).</summary>
    public Task<TicketOutcome> GetTicketAsync(ServicePrincipalName service, CancellationToken cancellationToken)
    {
        if (!_tickets.TryGetValue(service, out var ticket))
            _tickets[service] = ticket = RequestTicketAsync(service, cancellationToken);
        return ticket;
    }

    /// <summary>Finds the accounts that the name may mean; empty without a directory.</summary>
    public Task<IReadOnlyList<AccountRecord>> GetRecordsAsync(CancellationToken cancellationToken) =>
        _records ??= FindRecordsAsync(cancellationToken);

    /// <summary>Asks a KDC of the user's own realm whether it knows the name, without proving a key. Returns null if none
    /// answered.</summary>
    public Task<bool?> IsKnownInOwnRealmAsync(CancellationToken cancellationToken) => _isKnown ??= AskOwnRealmAsync(cancellationToken);

    private async Task<bool?> AskOwnRealmAsync(CancellationToken cancellationToken)
    {
        if (principal.Realm is not { } realm)
            return null;
        // The request names the user as its client. Nothing of the password is used.
        using var client = ServiceAccount.FromPassword(principal.Name.Split('@')[0], "not used");
        var options = new S4UClientOptions { Realm = realm, Account = client };
        foreach (var (name, kdcs) in account.Settings.Kdcs.ByRealm)
            options.Kdcs[name] = kdcs;
        var engine = new S4UClient(options);
        await using var disposal = engine.ConfigureAwait(false);
        foreach (var kdc in await engine.FindKdcsAsync(realm, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                var answer = await engine.AskKdcAsync(kdc, KdcTransport.Tcp, TimeSpan.FromSeconds(3), cancellationToken)
                    .ConfigureAwait(false);
                return answer.Error?.Code != KerberosErrorCode.ClientPrincipalUnknown;
            }
            catch (KerberosException)
            {
                // The next KDC may answer.
            }
        }
        return null;
    }

    private async Task<(UserEvidence? Evidence, KerberosException? Failure)> RequestEvidenceAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await account.Client.GetEvidenceAsync(principal, cancellationToken).ConfigureAwait(false), null);
        }
        catch (KerberosException error)
        {
            return (null, error.User is null ? error.InContext(new KerberosFailure { User = principal }) : error);
        }
    }

    private async Task<TicketOutcome> RequestTicketAsync(ServicePrincipalName service, CancellationToken cancellationToken)
    {
        try
        {
            return new TicketOutcome(
                await account.Client.GetTicketAsync(principal, service, cancellationToken).ConfigureAwait(false), null);
        }
        catch (KerberosException error)
        {
            return new TicketOutcome(null, error);
        }
    }

    private async Task<IReadOnlyList<AccountRecord>> FindRecordsAsync(CancellationToken cancellationToken) =>
        IsInAccountDomain && (await account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts is { } directory
            ? await directory.FindUserAsync(principal, cancellationToken).ConfigureAwait(false)
            : [];
}

/// <summary>A ticket, or the reason why there is none.</summary>
internal sealed record TicketOutcome(ServiceTicket? Ticket, KerberosException? Failure);
