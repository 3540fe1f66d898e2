using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>The account that delegates: its name, and where its long-term keys come from. Thread-safe, owned by whoever made it; several
/// clients may share one. A key file is read at first use and again after it has changed; one that is gone, cut off or unreadable
/// leaves the keys in use that were read before, with a warning in the log.</summary>
public sealed class ServiceAccount : IDisposable
{
    private ServiceAccount(string name, AccountKeyProvider keys) => (Name, Keys) = (name, keys);

    /// <summary>The name without its realm: in Active Directory the sAMAccountName (of a computer or a managed service account with its
    /// <c>$</c>), elsewhere the principal, such as <c>HTTP/gateway.example</c>.</summary>
    public string Name { get; }

    internal AccountKeyProvider Keys { get; }

    /// <summary>Takes the keys from a keytab (version 0502): the AES keys of the newest version that it has for the account.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="keytabPath">The file. It need not exist before the first use.</param>
    /// <exception cref="ArgumentException">The name is empty or has a realm, an empty component, or control or invisible characters; the path is empty.</exception>
    public static ServiceAccount FromKeytab(string name, string keytabPath)
    {
        ThrowIfNotAName(name);
        ArgumentException.ThrowIfNullOrEmpty(keytabPath);
        return new ServiceAccount(name, new KeytabKeyProvider(name, keytabPath));
    }

    /// <summary>Makes the keys from a password, with the salt that the KDC names.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="password">Copied into pinned memory, which <see cref="Dispose"/> zeroes.</param>
    /// <exception cref="ArgumentException">The name is not one (see <see cref="FromKeytab"/>), or the password is empty.</exception>
    public static ServiceAccount FromPassword(string name, ReadOnlySpan<char> password)
    {
        ThrowIfNotAName(name);
        if (password.IsEmpty)
            throw new ArgumentException("The password is empty.", nameof(password));
        return new ServiceAccount(name, new PasswordKeyProvider(password));
    }

    /// <summary>Makes the keys from a password in a file of UTF-8 text; one line end behind it is not part of the password.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="path">The file. It need not exist before the first use.</param>
    /// <exception cref="ArgumentException">The name is not one (see <see cref="FromKeytab"/>), or the path is empty.</exception>
    public static ServiceAccount FromPasswordFile(string name, string path)
    {
        ThrowIfNotAName(name);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ServiceAccount(name, new PasswordKeyProvider(name, path));
    }

    /// <summary>Zeroes the password and the keys. Clients that use the account are disposed first.</summary>
    public void Dispose() => Keys.Dispose();

    /// <summary>The account's name; no secret.</summary>
    public override string ToString() => Name;

    private static void ThrowIfNotAName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        KerberosNameRules.ThrowIfRefused(name, "The account's name", nameof(name));
        if (name.Contains('@', StringComparison.Ordinal))
            throw new ArgumentException($"The account's name comes without its realm: {name} has an @.", nameof(name));
        if (name.Split('/').Any(component => component.Length == 0))
            throw new ArgumentException("The account's name has an empty component.", nameof(name));
    }
}
