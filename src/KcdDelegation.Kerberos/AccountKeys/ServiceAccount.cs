using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>The account that delegates: its name and the source of its long-term keys. Thread-safe. Owned by its creator; several clients
/// may share one.</summary>
/// <remarks>A key file is read at first use and again when it has changed. While it is missing, truncated or unreadable the previous keys
/// stay in use, and a warning is logged.</remarks>
public sealed class ServiceAccount : IDisposable
{
    private ServiceAccount(string name, AccountKeyProvider keys) => (Name, Keys) = (name, keys);

    /// <summary>Gets the name without its realm. In Active Directory this is the sAMAccountName (with <c>$</c> for a computer or a managed
    /// service account), elsewhere the principal, such as <c>HTTP/gateway.example</c>.</summary>
    public string Name { get; }

    internal AccountKeyProvider Keys { get; }

    /// <summary>Creates an account whose keys are in a keytab (version 0502): the AES keys of its newest version for the account.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="keytabPath">The keytab. It need not exist before the first use.</param>
    /// <exception cref="ArgumentException">The name is empty or has a realm, an empty component, or control or invisible characters; the
    /// path is empty.</exception>
    public static ServiceAccount FromKeytab(string name, string keytabPath)
    {
        ThrowIfNotAName(name);
        ArgumentException.ThrowIfNullOrEmpty(keytabPath);
        return new ServiceAccount(name, new KeytabKeyProvider(name, keytabPath));
    }

    /// <summary>Creates an account whose keys are derived from a password, with the KDC's salt.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="password">The password. It is copied into pinned memory, which <see cref="Dispose"/> zeroes.</param>
    /// <exception cref="ArgumentException">The name is not valid (see <see cref="FromKeytab"/>), or the password is empty.</exception>
    public static ServiceAccount FromPassword(string name, ReadOnlySpan<char> password)
    {
        ThrowIfNotAName(name);
        if (password.IsEmpty)
            throw new ArgumentException("The password is empty.", nameof(password));
        return new ServiceAccount(name, new PasswordKeyProvider(password));
    }

    /// <summary>Creates an account whose keys are derived from a password in a file of UTF-8 text. One line end at its end is
    /// ignored.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="path">The file. It need not exist before the first use.</param>
    /// <exception cref="ArgumentException">The name is not valid (see <see cref="FromKeytab"/>), or the path is empty.</exception>
    public static ServiceAccount FromPasswordFile(string name, string path)
    {
        ThrowIfNotAName(name);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ServiceAccount(name, new PasswordKeyProvider(name, path));
    }

    /// <summary>Creates an account that changes its own password (RFC 3244), such as a computer account. Its client changes it on a
    /// schedule.</summary>
    /// <remarks>The password is in a file of UTF-8 text, in a directory that the process can write. The files <c>.next</c>, <c>.old</c>
    /// and <c>.lock</c> next to it belong to it. Several processes of one machine may share the file.</remarks>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="path">The file. It need not exist before the first use.</param>
    /// <param name="options">The options, or null for the defaults.</param>
    /// <param name="timeProvider">The clock; null for the system's.</param>
    /// <exception cref="ArgumentException">The name is not valid (see <see cref="FromKeytab"/>), the path is empty, or an option is out of
    /// range.</exception>
    public static ServiceAccount FromRollingPasswordFile(
        string name, string path, PasswordRollOptions? options = null, TimeProvider? timeProvider = null)
    {
        ThrowIfNotAName(name);
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new PasswordRollOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Interval, PasswordRollOptions.MinInterval, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Interval, PasswordRollOptions.MaxInterval, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.OldKeyLifetime, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.OldKeyLifetime, PasswordRollOptions.MaxInterval, nameof(options));
        return new ServiceAccount(name, new RollingPasswordKeyProvider(name, path, options, timeProvider ?? TimeProvider.System));
    }

    /// <summary>Creates a group managed service account (gMSA), whose password the domain controllers generate and change.</summary>
    /// <remarks>The password is read at first use, when it is about to change, and when the KDC no longer accepts it.</remarks>
    /// <param name="name">The sAMAccountName, with its <c>$</c>.</param>
    /// <param name="source">Reads the password. It is not owned.</param>
    /// <param name="timeProvider">Measures the intervals between two reads; null for the system's.</param>
    /// <exception cref="ArgumentException">The name is not valid (see <see cref="FromKeytab"/>).</exception>
    public static ServiceAccount FromManagedPassword(string name, IManagedPasswordSource source, TimeProvider? timeProvider = null)
    {
        ThrowIfNotAName(name);
        ArgumentNullException.ThrowIfNull(source);
        return new ServiceAccount(name, new ManagedPasswordKeyProvider(name, source, timeProvider ?? TimeProvider.System));
    }

    /// <summary>Creates an account with these keys, for an exchange that proves one certain key.</summary>
    internal static ServiceAccount FromKeys(string name, AccountKeyProvider keys) => new(name, keys);

    /// <summary>Zeroes the password and the keys. Dispose the clients that use the account first.</summary>
    public void Dispose() => Keys.Dispose();

    /// <summary>Returns the account's name.</summary>
    public override string ToString() => Name;

    private static void ThrowIfNotAName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        NameCharacters.ThrowIfRefused(name, "The account's name", nameof(name));
        if (name.Contains('@', StringComparison.Ordinal))
            throw new ArgumentException($"The account's name '{name}' contains '@'. Give the name without its realm.", nameof(name));
        if (NameCharacters.HasEmptyComponent(name))
            throw new ArgumentException($"The account's name '{name}' has an empty component.", nameof(name));
    }
}
