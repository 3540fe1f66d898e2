using KcdDelegation.DirectoryServices.Accounts;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The directory of the account's domain, asked with the account's own ticket. Thread-safe.</summary>
/// <param name="client">The client of the domain. It is owned.</param>
/// <param name="catalog">The client of the global catalog, which has the names of the whole forest. It is owned.</param>
/// <param name="domain">The DNS name of the domain.</param>
/// <param name="servers">The controllers.</param>
/// <param name="time">The clock that decides whether an account has expired.</param>
internal sealed class DirectoryFacts(
    DirectoryClient client, DirectoryClient catalog, string domain, IReadOnlyList<RootEntry> servers, TimeProvider time) : IAsyncDisposable
{
    /// <summary>The port of the global catalog (MS-ADTS §3.1.1.3.1).</summary>
    public const int CatalogPort = 3268;

    /// <summary>The limit on the names of one search.</summary>
    private const int MaxNames = 20;

    /// <summary>Gets the base of the domain.</summary>
    public string Base { get; } = DomainName.ToDistinguishedName(domain);

    /// <summary>Gets what each controller says of itself.</summary>
    public IReadOnlyList<RootEntry> Servers => servers;

    /// <summary>Gets whether the controllers are those of Samba.</summary>
    public bool IsSamba => servers.Any(server => server.IsSamba);

    /// <summary>Finds the account with a sAMAccountName.</summary>
    public async Task<AccountRecord?> FindAccountAsync(string name, CancellationToken cancellationToken) =>
        (await SearchAsync(LdapFilter.Equal("sAMAccountName", name), cancellationToken).ConfigureAwait(false)) is [var found, ..]
            ? found
            : null;

    /// <summary>Finds all accounts that a name may mean to a KDC (MS-KILE §3.3.5.6.1).</summary>
    public Task<IReadOnlyList<AccountRecord>> FindUserAsync(KerberosPrincipal user, CancellationToken cancellationToken) =>
        SearchAsync(DirectoryAccounts.CreateNameFilter(user, domain), cancellationToken);

    /// <summary>Finds the accounts that hold one of the service principal names.</summary>
    public Task<IReadOnlyList<AccountRecord>> FindHoldersAsync(IReadOnlyList<string> names, CancellationToken cancellationToken) =>
        SearchAsync(LdapFilter.Any([.. names.Select(name => LdapFilter.Equal("servicePrincipalName", name))]), cancellationToken);

    /// <summary>Finds the accounts that hold a service principal name with this start.</summary>
    public Task<IReadOnlyList<AccountRecord>> FindSimilarHoldersAsync(string start, CancellationToken cancellationToken) =>
        SearchAsync(LdapFilter.StartsWith("servicePrincipalName", start), cancellationToken);

    /// <summary>Finds the accounts of the domain's controllers, which are in a group of their own (MS-ADTS §6.1.1.6).</summary>
    public Task<IReadOnlyList<AccountRecord>> FindControllersAsync(CancellationToken cancellationToken) => SearchAsync(
        LdapFilter.Any(LdapFilter.Equal("primaryGroupID", "516"), LdapFilter.Equal("primaryGroupID", "521")), cancellationToken);

    /// <summary>Finds the names of accounts and groups by their SIDs. One that the domain does not have is missing in the
    /// result.</summary>
    public async Task<IReadOnlyDictionary<string, string>> FindNamesAsync(
        IReadOnlyList<string> identifiers, CancellationToken cancellationToken)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        if (identifiers.Count == 0)
            return names;
        var entries = await client.SearchAsync(
            new LdapSearch
            {
                Base = Base,
                Filter = LdapFilter.Any(
                    [.. identifiers.Take(MaxNames).Select(sid => LdapFilter.Equal("objectSid", SecurityIdentifiers.Parse(sid)))]),
                Attributes = ["sAMAccountName", "objectSid"],
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var entry in entries)
        {
            using (entry)
            {
                if (entry.GetText("sAMAccountName") is { } name && entry.GetValues("objectSid") is [var sid]
                    && SecurityIdentifiers.Format(sid.Span) is { } identifier)
                    names[identifier] = name;
            }
        }
        return names;
    }

    /// <summary>Returns the SIDs of all groups of an account, nested ones included; null if the reader may not see them.</summary>
    public async Task<IReadOnlyList<string>?> FindGroupsAsync(AccountRecord account, CancellationToken cancellationToken)
    {
        using var entry = await client.FindEntryAsync(account.DistinguishedName, ["tokenGroups"], cancellationToken).ConfigureAwait(false);
        return entry?.GetValues("tokenGroups") is { Count: > 0 } values
            ? [.. values.Select(value => SecurityIdentifiers.Format(value.Span)).OfType<string>()]
            : null;
    }

    /// <summary>Returns the SID of Protected Users if the account is a member, directly or not; otherwise null.</summary>
    public async Task<string?> FindProtectedUsersAsync(AccountRecord account, CancellationToken cancellationToken) =>
        (await FindGroupsAsync(account, cancellationToken).ConfigureAwait(false))
            ?.FirstOrDefault(group => group.EndsWith(DirectoryAccounts.ProtectedUsersSuffix, StringComparison.Ordinal));

    /// <summary>Finds the accounts of the whole forest that hold a service principal name; null if no catalog answers. A catalog has only
    /// some of their attributes.</summary>
    public async Task<IReadOnlyList<AccountRecord>?> FindHoldersInForestAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await SearchAsync(catalog, "", LdapFilter.Equal("servicePrincipalName", name), cancellationToken).ConfigureAwait(false);
        }
        catch (DirectoryException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync().ConfigureAwait(false);
        await catalog.DisposeAsync().ConfigureAwait(false);
    }

    private Task<IReadOnlyList<AccountRecord>> SearchAsync(LdapFilter filter, CancellationToken cancellationToken) =>
        SearchAsync(client, Base, filter, cancellationToken);

    private async Task<IReadOnlyList<AccountRecord>> SearchAsync(
        DirectoryClient directory, string start, LdapFilter filter, CancellationToken cancellationToken)
    {
        var entries = await directory.SearchAsync(
            new LdapSearch
            {
                Base = start,
                Filter = LdapFilter.All(LdapFilter.Equal("objectClass", "user"), filter),
                Attributes = AccountRecord.Attributes,
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            return [.. entries.Select(entry => AccountRecord.Read(entry, time.GetUtcNow())).OfType<AccountRecord>()];
        }
        finally
        {
            foreach (var entry in entries)
                entry.Dispose();
        }
    }
}
