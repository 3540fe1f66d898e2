using System.Collections.Concurrent;

namespace KcdDelegation.Testing.Accounts;

/// <summary>A user, computer or service account of the directory. Thread-safe.</summary>
internal sealed class DirectoryEntry(string name, KeyHistory keys, SecurityIdentifier sid)
{
    private volatile bool _disabled;
    private volatile bool _passwordExpired;

    /// <summary>sAMAccountName.</summary>
    public string Name => name;

    public KeyHistory Keys => keys;
    public SecurityIdentifier Sid => sid;

    /// <summary>Null: name@realm is implied.</summary>
    public string? UserPrincipalName { get; init; }

    public required IReadOnlyList<string> ServicePrincipalNames { get; init; }

    /// <summary>"Account is sensitive and cannot be delegated".</summary>
    public bool Sensitive { get; init; }

    public bool ProtectedUser { get; init; }

    /// <summary>TRUSTED_TO_AUTH_FOR_DELEGATION: "use any authentication protocol".</summary>
    public bool AnyProtocol { get; init; }

    /// <summary>msDS-AllowedToDelegateTo: service principal names.</summary>
    public ConcurrentDictionary<string, bool> MayDelegateTo { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>msDS-AllowedToActOnBehalfOfOtherIdentity: account names, those of other realms as name@REALM.</summary>
    public ConcurrentDictionary<string, bool> AllowsActingAs { get; } = new(StringComparer.OrdinalIgnoreCase);

    public bool Disabled
    {
        get => _disabled;
        set => _disabled = value;
    }

    public bool PasswordExpired
    {
        get => _passwordExpired;
        set => _passwordExpired = value;
    }

    public bool MayBeDelegated => !Sensitive && !ProtectedUser;
}
