using System.Security.Cryptography;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing;

/// <content>The realm's accounts and trusts.</content>
public sealed partial class TestRealm
{
    private static readonly EncryptionType[] DefaultTypes = [EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha1];

    /// <summary>Adds a user.</summary>
    /// <param name="name">The sAMAccountName.</param>
    /// <param name="userPrincipalName">Null: name@realm is implied.</param>
    /// <param name="sid">S-1-5-21-…; null: the realm's next one.</param>
    /// <param name="sensitive">Sets "Account is sensitive and cannot be delegated".</param>
    /// <param name="protectedUser">Makes the user a member of Protected Users, who cannot be delegated.</param>
    /// <param name="disabled">Disables the account.</param>
    /// <exception cref="ArgumentException">The realm has an account of this name.</exception>
    public TestRealm User(
        string name, string? userPrincipalName = null, string? sid = null,
        bool sensitive = false, bool protectedUser = false, bool disabled = false)
    {
        ArgumentNullException.ThrowIfNull(name);
        var keys = CreateKeys(GetSalt(name), password: null, DefaultTypes, keyVersion: 2);
        _state.Accounts.Add(new DirectoryEntry(name, keys, sid is null ? _state.Accounts.NextSid() : SecurityIdentifier.Parse(sid))
        {
            UserPrincipalName = userPrincipalName,
            ServicePrincipalNames = [],
            Sensitive = sensitive,
            ProtectedUser = protectedUser,
            Disabled = disabled,
        });
        return this;
    }

    /// <summary>Adds an account that delegates, such as a gateway's.</summary>
    /// <param name="name">The sAMAccountName; a computer's ends in a dollar sign.</param>
    /// <param name="mayDelegateTo">Its delegation list (msDS-AllowedToDelegateTo): service principal names.</param>
    /// <param name="anyProtocol">Sets "Use any authentication protocol": tickets from S4U2Self are forwardable.</param>
    /// <param name="servicePrincipalNames">Its own service principal names; null: HTTP/name.</param>
    /// <param name="password">Null: a random one.</param>
    /// <param name="encryptionTypes">The types of its keys, best first; null: AES256 and AES128 with SHA-1.</param>
    /// <param name="keyVersion">The version number of its first keys.</param>
    /// <param name="disabled">Disables the account.</param>
    /// <param name="salt">The salt of its password; null: made from its name (MS-KILE §3.1.1.2). A renamed account keeps the old
    /// one.</param>
    /// <exception cref="ArgumentException">The realm has an account of this name.</exception>
    public TestRealm Account(string name, IEnumerable<string>? mayDelegateTo = null, bool anyProtocol = true,
        IEnumerable<string>? servicePrincipalNames = null, string? password = null, IEnumerable<EncryptionType>? encryptionTypes = null,
        int keyVersion = 2, bool disabled = false, string? salt = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        var keys = CreateKeys(salt ?? GetSalt(name), password ?? CreateRandomPassword(), encryptionTypes, keyVersion);
        _state.Accounts.Add(new DirectoryEntry(name, keys, _state.Accounts.NextSid())
        {
            ServicePrincipalNames = [.. servicePrincipalNames ?? [$"HTTP/{name.TrimEnd('$')}"]],
            AnyProtocol = anyProtocol,
            Disabled = disabled,
        });
        foreach (var target in mayDelegateTo ?? [])
            this.AllowDelegation(name, target);
        return this;
    }

    /// <summary>Adds a service that users are delegated to, with an account of its own.</summary>
    /// <param name="servicePrincipalName">Its name, such as HTTP/app.</param>
    /// <param name="delegatedFrom">Its resource-based list (msDS-AllowedToActOnBehalfOfOtherIdentity): account names, those of other
    /// realms as name@REALM.</param>
    /// <param name="account">The name of its account; null: made from the service principal name.</param>
    /// <param name="encryptionTypes">The types of its keys, best first; null: AES256 and AES128 with SHA-1.</param>
    /// <param name="keyVersion">The version number of its first keys.</param>
    /// <exception cref="ArgumentException">The realm has an account of this name.</exception>
    public TestRealm Service(string servicePrincipalName, IEnumerable<string>? delegatedFrom = null, string? account = null,
        IEnumerable<EncryptionType>? encryptionTypes = null, int keyVersion = 2)
    {
        ArgumentNullException.ThrowIfNull(servicePrincipalName);
        var name = account ?? "svc-" + servicePrincipalName.Replace('/', '-');
        var keys = CreateKeys(GetSalt(name), password: null, encryptionTypes, keyVersion);
        _state.Accounts.Add(new DirectoryEntry(name, keys, _state.Accounts.NextSid()) { ServicePrincipalNames = [servicePrincipalName] });
        foreach (var allowed in delegatedFrom ?? [])
            this.AllowResourceBasedDelegation(allowed, servicePrincipalName);
        return this;
    }

    /// <summary>Creates a two-way transitive trust between this realm and another one.</summary>
    /// <remarks>The KDCs find users and refer to services across the trust. They support S4U2Self and resource-based S4U2Proxy across it
    /// (MS-SFU §4.2, §4.3). Clients that were created before the trust do not know the other KDC.</remarks>
    /// <exception cref="ArgumentException">The other realm is this one or has the same name.</exception>
    public TestRealm Trusts(TestRealm other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (_state.IsNamed(other.Name))
            throw new ArgumentException($"The realm {Name} cannot trust a realm of the same name. Rename one of them.", nameof(other));
        var outgoing = new KeyHistory(password: null, salt: "", RealmState.AllTypes, version: 1);
        var incoming = new KeyHistory(password: null, salt: "", RealmState.AllTypes, version: 1);
        _state.Trusts[other.Name] = new Trust(other._state, outgoing, incoming);
        other._state.Trusts[Name] = new Trust(_state, incoming, outgoing);
        return this;
    }

    internal static string CreateRandomPassword() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));

    private static KeyHistory CreateKeys(string salt, string? password, IEnumerable<EncryptionType>? types, int keyVersion) =>
        new(password, salt, [.. types ?? DefaultTypes], checked((uint)keyVersion));

    /// <summary>Returns the salt of an account's password. A computer's is made from its host name (MS-KILE §3.1.1.2).</summary>
    private string GetSalt(string name) =>
        name.EndsWith('$') ? $"{Name}host{name[..^1].ToLowerInvariant()}.{Name.ToLowerInvariant()}" : Name + name;
}
