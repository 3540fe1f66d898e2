using KcdDelegation.DirectoryServices.Accounts;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The directory of the account's domain, asked with the account's own ticket. Thread-safe.</summary>
internal sealed class DirectoryFacts(DirectoryClient client, string domain, IReadOnlyList<RootEntry> servers, TimeProvider time)
    : IAsyncDisposable
{
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
    public Task<IReadOnlyList<AccountRecord>> FindUserAsync(KerberosPrincipal user, CancellationToken cancellationToken)
    {
        if (user.Type != PrincipalNameType.Enterprise)
        {
            return SearchAsync(
                LdapFilter.Any(
                    LdapFilter.Equal("sAMAccountName", user.Name), LdapFilter.Equal("userPrincipalName", $"{user.Name}@{domain}")),
                cancellationToken);
        }
        var at = user.Name.LastIndexOf('@');
        var (name, suffix) = at > 0 ? (user.Name[..at], user.Name[(at + 1)..]) : (user.Name, "");
        var byName = LdapFilter.Equal("userPrincipalName", user.Name);
        return SearchAsync(
            string.Equals(suffix, domain, StringComparison.OrdinalIgnoreCase)
                ? LdapFilter.Any(byName, LdapFilter.Equal("sAMAccountName", name))
                : byName,
            cancellationToken);
    }

    /// <summary>Finds the accounts that hold one of the service principal names.</summary>
    public Task<IReadOnlyList<AccountRecord>> FindHoldersAsync(IReadOnlyList<string> names, CancellationToken cancellationToken) =>
        SearchAsync(LdapFilter.Any([.. names.Select(name => LdapFilter.Equal("servicePrincipalName", name))]), cancellationToken);

    /// <summary>Finds the accounts that hold a service principal name with this start.</summary>
    public Task<IReadOnlyList<AccountRecord>> FindSimilarHoldersAsync(string start, CancellationToken cancellationToken) =>
        SearchAsync(LdapFilter.StartsWith("servicePrincipalName", start), cancellationToken);

    /// <summary>Returns the SIDs of all groups of an account, nested ones included; null if the reader may not see them.</summary>
    public async Task<IReadOnlyList<string>?> FindGroupsAsync(AccountRecord account, CancellationToken cancellationToken)
    {
        using var entry = await client.FindEntryAsync(account.DistinguishedName, ["tokenGroups"], cancellationToken).ConfigureAwait(false);
        return entry?.GetValues("tokenGroups") is { Count: > 0 } values
            ? [.. values.Select(value => SecurityIdentifiers.Format(value.Span)).OfType<string>()]
            : null;
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();

    private async Task<IReadOnlyList<AccountRecord>> SearchAsync(LdapFilter filter, CancellationToken cancellationToken)
    {
        var entries = await client.SearchAsync(
            new LdapSearch
            {
                Base = Base,
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
