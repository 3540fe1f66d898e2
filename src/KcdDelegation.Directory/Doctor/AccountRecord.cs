using System.Globalization;
using KcdDelegation.Diagnosis;
using KcdDelegation.DirectoryServices.Accounts;
using KcdDelegation.DirectoryServices.Messages;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The attributes of an account in the directory: of a user, of the delegating account, or of one that runs a backend.</summary>
internal sealed record AccountRecord
{
    /// <summary>The bits of userAccountControl (MS-ADTS §2.2.16).</summary>
    private const long TrustedForDelegation = 0x8_0000;
    private const long NoPreAuthentication = 0x40_0000;
    private const long TrustedToAuthForDelegation = 0x100_0000;

    /// <summary>A bit of msDS-User-Account-Control-Computed.</summary>
    private const long PasswordExpired = 0x80_0000;

    /// <summary>The AES bits of msDS-SupportedEncryptionTypes (MS-KILE §2.2.7): SHA-1 and, since Windows Server 2025, SHA-2.</summary>
    private const long AesTypes = 0x8 | 0x10 | 0x40 | 0x80;

    public static IReadOnlyList<string> Attributes { get; } =
    [
        "sAMAccountName", "userPrincipalName", "objectSid", "userAccountControl", "msDS-User-Account-Control-Computed",
        "accountExpires", "pwdLastSet", "servicePrincipalName", "msDS-AllowedToDelegateTo", "msDS-SupportedEncryptionTypes",
        "msDS-KeyVersionNumber", "msDS-AllowedToActOnBehalfOfOtherIdentity",
    ];

    private AccountRecord(LdapEntry entry, DateTimeOffset now)
    {
        DistinguishedName = entry.Name;
        Name = entry.GetText("sAMAccountName") ?? "";
        UserPrincipalName = entry.GetText("userPrincipalName");
        SecurityIdentifier = entry.GetValues("objectSid") is [var sid] ? SecurityIdentifiers.Format(sid.Span) : null;
        State = DirectoryAccounts.GetState(entry, now);
        Control = GetNumber(entry, "userAccountControl") ?? 0;
        Computed = GetNumber(entry, "msDS-User-Account-Control-Computed") ?? 0;
        PasswordLastSet = GetNumber(entry, "pwdLastSet");
        ServiceNames = [.. entry.GetTexts("servicePrincipalName").Order(StringComparer.OrdinalIgnoreCase)];
        AllowedTargets = [.. entry.GetTexts("msDS-AllowedToDelegateTo").Order(StringComparer.OrdinalIgnoreCase)];
        EncryptionTypes = GetNumber(entry, "msDS-SupportedEncryptionTypes");
        KeyVersion = GetNumber(entry, "msDS-KeyVersionNumber");
        AllowedToAct = entry.GetValues("msDS-AllowedToActOnBehalfOfOtherIdentity") is [var descriptor] ? descriptor.ToArray() : null;
    }

    public string DistinguishedName { get; }

    /// <summary>Gets the sAMAccountName.</summary>
    public string Name { get; }

    /// <summary>Gets the sAMAccountName for a command.</summary>
    public string Quoted => ErrorNames.Quote(Name, "ACCOUNT");

    public string? UserPrincipalName { get; }

    public string? SecurityIdentifier { get; }

    public long? PasswordLastSet { get; }

    public IReadOnlyList<string> ServiceNames { get; }

    /// <summary>Gets the values of msDS-AllowedToDelegateTo.</summary>
    public IReadOnlyList<string> AllowedTargets { get; }

    /// <summary>Gets msDS-SupportedEncryptionTypes, or null if it is not set.</summary>
    public long? EncryptionTypes { get; }

    /// <summary>Gets msDS-KeyVersionNumber, or null if it cannot be read.</summary>
    public long? KeyVersion { get; }

    /// <summary>Gets the security descriptor of resource-based delegation, or null.</summary>
    public byte[]? AllowedToAct { get; }

    public bool IsDisabled => State.HasFlag(AccountState.Disabled);

    public bool IsExpired => State.HasFlag(AccountState.Expired);

    public bool IsLocked => State.HasFlag(AccountState.Locked);

    /// <summary>Gets whether the password has expired, or must be changed at the next log-on.</summary>
    public bool IsPasswordExpired => (Computed & PasswordExpired) != 0 || PasswordLastSet == 0;

    public bool IsSensitive => State.HasFlag(AccountState.Sensitive);

    public bool IsTrustedForAnyService => (Control & TrustedForDelegation) != 0;

    public bool IsTrustedForAnyProtocol => (Control & TrustedToAuthForDelegation) != 0;

    public bool NeedsNoPreAuthentication => (Control & NoPreAuthentication) != 0;

    /// <summary>Gets userAccountControl with pre-authentication required.</summary>
    public long ControlWithPreAuthentication => Control & ~NoPreAuthentication;

    /// <summary>Gets whether the account declares AES. An account that declares nothing has the default of the domain.</summary>
    public bool? DeclaresAes => EncryptionTypes is { } types ? (types & AesTypes) != 0 : null;

    private AccountState State { get; }

    private long Control { get; }

    private long Computed { get; }

    /// <summary>Reads an entry, or returns null if the reader may not see its name.</summary>
    public static AccountRecord? Read(LdapEntry entry, DateTimeOffset now) =>
        entry.GetText("sAMAccountName") is null ? null : new AccountRecord(entry, now);

    /// <summary>Returns msDS-SupportedEncryptionTypes for people.</summary>
    public string FormatEncryptionTypes() =>
        EncryptionTypes is { } types ? string.Create(CultureInfo.InvariantCulture, $"{types} (0x{types:x})") : "not set";

    private static long? GetNumber(LdapEntry entry, string attribute) =>
        long.TryParse(entry.GetText(attribute), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
