using System.Globalization;
using KcdDelegation.DirectoryServices.Accounts;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices;

/// <summary>Finds the accounts of users in Active Directory or Samba. Thread-safe. Nothing is cached
/// (<see cref="DirectoryIdentityMapper"/> does).</summary>
public sealed class DirectoryAccounts
{
    private const string SamAccountName = "sAMAccountName";
    private const string UserPrincipalName = "userPrincipalName";
    private const string ObjectSid = "objectSid";
    private const string AccountControl = "userAccountControl";
    private const string ComputedControl = "msDS-User-Account-Control-Computed";
    private const string AccountExpires = "accountExpires";
    private const string TokenGroups = "tokenGroups";

    private const int DisabledFlag = 0x2;
    private const int LockedFlag = 0x10;
    private const int NotDelegatedFlag = 0x10_0000;

    /// <summary>The relative identifier of Protected Users in each domain (MS-DTYP §2.4.2.4).</summary>
    internal const string ProtectedUsersSuffix = "-525";

    private readonly DirectoryClient _directory;
    private readonly string _base;
    private readonly string _domain;
    private readonly TimeProvider _time;

    /// <summary>Creates the look-up.</summary>
    /// <param name="directory">The client. It is not owned.</param>
    /// <param name="domain">The DNS name of the domain to search, such as <c>contoso.com</c>.</param>
    /// <param name="timeProvider">The clock that decides whether an account has expired; null for the system's.</param>
    public DirectoryAccounts(DirectoryClient directory, string domain, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentException.ThrowIfNullOrWhiteSpace(domain);
        (_directory, _domain, _base) = (directory, domain, DomainName.ToDistinguishedName(domain));
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <summary>Finds the accounts with a SID: one, or none.</summary>
    /// <param name="securityIdentifier">The SID in text form.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="FormatException">The text is no SID.</exception>
    /// <exception cref="DirectoryException">The directory cannot be asked.</exception>
    public Task<IReadOnlyList<DirectoryAccount>> FindBySecurityIdentifierAsync(
        string securityIdentifier, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(securityIdentifier);
        return FindAsync(LdapFilter.Equal(ObjectSid, SecurityIdentifiers.Parse(securityIdentifier)), cancellationToken);
    }

    /// <summary>Finds all accounts that a name may mean to a KDC (MS-KILE §3.3.5.6.1): more than one if the user principal name of one is
    /// the account name of another.</summary>
    /// <param name="user">The name, as it would be delegated.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="DirectoryException">The directory cannot be asked.</exception>
    public Task<IReadOnlyList<DirectoryAccount>> FindByNameAsync(KerberosPrincipal user, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        return FindAsync(CreateNameFilter(user, _domain), cancellationToken);
    }

    /// <summary>Creates the filter for all accounts that a name may mean to a KDC.</summary>
    internal static LdapFilter CreateNameFilter(KerberosPrincipal user, string domain)
    {
        if (user.Type != PrincipalNameType.Enterprise)
        {
            // A name without a suffix also is the implied user principal name, and that of another account may be set to it.
            return LdapFilter.Any(
                LdapFilter.Equal(SamAccountName, user.Name), LdapFilter.Equal(UserPrincipalName, $"{user.Name}@{domain}"));
        }
        var at = user.Name.LastIndexOf('@');
        var (name, suffix) = at > 0 ? (user.Name[..at], user.Name[(at + 1)..]) : (user.Name, "");
        var byName = LdapFilter.Equal(UserPrincipalName, user.Name);
        return string.Equals(suffix, domain, StringComparison.OrdinalIgnoreCase)
            ? LdapFilter.Any(byName, LdapFilter.Equal(SamAccountName, name))
            : byName;
    }

    private async Task<IReadOnlyList<DirectoryAccount>> FindAsync(LdapFilter filter, CancellationToken cancellationToken)
    {
        var entries = await _directory.SearchAsync(
            new LdapSearch
            {
                Base = _base,
                Filter = LdapFilter.All(LdapFilter.Equal("objectClass", "user"), filter),
                Attributes = [SamAccountName, UserPrincipalName, ObjectSid, AccountControl, ComputedControl, AccountExpires],
                PageSize = 0,
            },
            cancellationToken).ConfigureAwait(false);
        var accounts = new List<DirectoryAccount>();
        foreach (var entry in entries)
        {
            // An entry that the reader cannot see completely is no proof of anything.
            if (entry.GetText(SamAccountName) is { } name && entry.GetValues(ObjectSid) is [var bytes]
                && SecurityIdentifiers.Format(bytes.Span) is { } sid && DomainName.FindRealm(entry.Name) is { } realm)
            {
                var state = GetState(entry, _time.GetUtcNow());
                if (await IsProtectedAsync(entry.Name, sid, cancellationToken).ConfigureAwait(false))
                    state |= AccountState.ProtectedUser;
                accounts.Add(new DirectoryAccount(entry.Name, name, realm, sid, entry.GetText(UserPrincipalName), state));
            }
        }
        return accounts;
    }

    /// <summary>Reads the state of an account, except its membership of Protected Users.</summary>
    internal static AccountState GetState(LdapEntry entry, DateTimeOffset now)
    {
        var state = AccountState.Usable;
        var control = GetNumber(entry, AccountControl);
        if ((control & DisabledFlag) != 0)
            state |= AccountState.Disabled;
        if ((control & NotDelegatedFlag) != 0)
            state |= AccountState.Sensitive;
        if ((GetNumber(entry, ComputedControl) & LockedFlag) != 0)
            state |= AccountState.Locked;
        // MS-ADTS §3.1.1.5: zero and the largest number mean never.
        if (GetNumber(entry, AccountExpires) is > 0 and < long.MaxValue and var expires
            && expires <= now.UtcDateTime.ToFileTimeUtc())
            state |= AccountState.Expired;
        return state;
    }

    /// <summary>Determines whether an account is a member of Protected Users, directly or not. The server computes <c>tokenGroups</c> for
    /// one entry at a time (MS-ADTS §3.1.1.4.5.19).</summary>
    private async Task<bool> IsProtectedAsync(string name, string sid, CancellationToken cancellationToken)
    {
        var entry = await _directory.FindEntryAsync(name, [TokenGroups], cancellationToken).ConfigureAwait(false);
        var group = string.Concat(sid.AsSpan(0, sid.LastIndexOf('-')), ProtectedUsersSuffix);
        return entry is not null && entry.GetValues(TokenGroups).Any(value => SecurityIdentifiers.Format(value.Span) == group);
    }

    private static long GetNumber(LdapEntry entry, string attribute) =>
        long.TryParse(entry.GetText(attribute), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
