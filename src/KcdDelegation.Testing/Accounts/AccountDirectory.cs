using System.Collections.Concurrent;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Errors;

namespace KcdDelegation.Testing.Accounts;

/// <summary>The principals of one realm, found by name. Thread-safe.</summary>
internal sealed class AccountDirectory(string realm, KdcKind kind)
{
    private readonly ConcurrentDictionary<string, DirectoryEntry> _entries = new(StringComparer.OrdinalIgnoreCase);
    private readonly SecurityIdentifier _domain = SecurityIdentifier.CreateDomain(realm);
    private int _lastRelativeId = 1102;

    /// <summary>Active Directory ignores case; MIT and Heimdal do not.</summary>
    public StringComparison Comparison { get; } = kind == KdcKind.Windows ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    public SecurityIdentifier NextSid() => _domain.WithRelativeId(Interlocked.Increment(ref _lastRelativeId));

    /// <exception cref="ArgumentException">The realm has an account of this name.</exception>
    public void Add(DirectoryEntry entry)
    {
        if (!_entries.TryAdd(entry.Name, entry))
        {
            throw new ArgumentException(
                $"The realm {realm} already has an account {entry.Name}. Choose another name or remove that account.", nameof(entry));
        }
    }

    public void Remove(string name)
    {
        _ = Get(name);
        _entries.TryRemove(name, out _);
    }

    /// <summary>Gets the account with the name or the service principal name.</summary>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public DirectoryEntry Get(string nameOrService) =>
        _entries.TryGetValue(nameOrService, out var entry) ? entry
            : _entries.Values.FirstOrDefault(e => e.ServicePrincipalNames.Contains(nameOrService, StringComparer.OrdinalIgnoreCase))
            ?? throw new ArgumentException(
                $"The realm {realm} has no account or service {nameOrService}. It has: {JoinNames()}.", nameof(nameOrService));

    /// <summary>Finds an account as a KDC does, or returns null.</summary>
    /// <exception cref="KdcRefusalException">Two accounts have the name.</exception>
    public DirectoryEntry? Find(PrincipalName name)
    {
        var text = name.ToString();
        var found = _entries.Values.Where(entry => name switch
        {
            { Type: (int)PrincipalNameType.Enterprise } => HasUserPrincipalName(entry, text),
            { Components.Count: 1 } => IsNamed(entry, text),
            _ => entry.ServicePrincipalNames.Any(service => service.Equals(text, Comparison)),
        }).Take(2).ToList();
        return found.Count < 2 ? found.FirstOrDefault() : throw new KdcRefusalException(KerberosErrorCode.PrincipalNotUnique);
    }

    private string JoinNames() => string.Join(", ", _entries.Keys.Order(StringComparer.Ordinal));

    // MS-KILE §3.3.5.6.1: sAMAccountName, then with a dollar sign, then the user principal name name@realm.
    private bool IsNamed(DirectoryEntry entry, string name) =>
        entry.Name.Equals(name, Comparison)
        || entry.Name.Equals(name + "$", Comparison)
        || (entry.UserPrincipalName?.Equals($"{name}@{realm}", Comparison) ?? false);

    // MS-KILE §3.3.5.6.1: userPrincipalName, then sAMAccountName of the part before the at sign if the rest is this realm. The suffix of
    // the implied name is a DNS name, so it is compared without case.
    private bool HasUserPrincipalName(DirectoryEntry entry, string name)
    {
        if (entry.UserPrincipalName is { } userPrincipalName && userPrincipalName.Equals(name, Comparison))
            return true;
        var at = name.LastIndexOf('@');
        if (at <= 0 || !name.AsSpan(at + 1).Equals(realm, StringComparison.OrdinalIgnoreCase))
            return false;
        var account = name[..at];
        return entry.Name.Equals(account, Comparison) || entry.ServicePrincipalNames.Any(service => service.Equals(account, Comparison));
    }
}
