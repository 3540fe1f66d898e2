using System.Globalization;

namespace KcdDelegation.Diagnosis;

/// <summary>The NTSTATUS values (MS-ERREF §2.3.1) that domain controllers send with Kerberos errors (MS-KILE §2.2.1).</summary>
internal static class NtStatusNames
{
    public const int AccessDenied = unchecked((int)0xC0000022);
    public const int NoSuchUser = unchecked((int)0xC0000064);
    public const int AccountRestriction = unchecked((int)0xC000006E);
    public const int InvalidLogonHours = unchecked((int)0xC000006F);
    public const int PasswordExpired = unchecked((int)0xC0000071);
    public const int AccountDisabled = unchecked((int)0xC0000072);
    public const int NotSupported = unchecked((int)0xC00000BB);
    public const int TooManyContextIds = unchecked((int)0xC000015A);
    public const int AccountExpired = unchecked((int)0xC0000193);
    public const int PasswordMustChange = unchecked((int)0xC0000224);
    public const int NotFound = unchecked((int)0xC0000225);
    public const int AccountLockedOut = unchecked((int)0xC0000234);
    public const int NoMatch = unchecked((int)0xC0000272);
    public const int SmartCardLogonRequired = unchecked((int)0xC00002FA);
    public const int CrossRealmDelegationFailure = unchecked((int)0xC000040B);
    public const int AuthenticationFirewallFailed = unchecked((int)0xC0000413);

    public static string Get(int status) => status switch
    {
        AccessDenied => "STATUS_ACCESS_DENIED",
        NoSuchUser => "STATUS_NO_SUCH_USER",
        AccountRestriction => "STATUS_ACCOUNT_RESTRICTION",
        InvalidLogonHours => "STATUS_INVALID_LOGON_HOURS",
        PasswordExpired => "STATUS_PASSWORD_EXPIRED",
        AccountDisabled => "STATUS_ACCOUNT_DISABLED",
        NotSupported => "STATUS_NOT_SUPPORTED",
        TooManyContextIds => "STATUS_TOO_MANY_CONTEXT_IDS",
        AccountExpired => "STATUS_ACCOUNT_EXPIRED",
        PasswordMustChange => "STATUS_PASSWORD_MUST_CHANGE",
        NotFound => "STATUS_NOT_FOUND",
        AccountLockedOut => "STATUS_ACCOUNT_LOCKED_OUT",
        NoMatch => "STATUS_NO_MATCH",
        SmartCardLogonRequired => "STATUS_SMARTCARD_LOGON_REQUIRED",
        CrossRealmDelegationFailure => "STATUS_CROSSREALM_DELEGATION_FAILURE",
        AuthenticationFirewallFailed => "STATUS_AUTHENTICATION_FIREWALL_FAILED",
        _ => string.Create(CultureInfo.InvariantCulture, $"NTSTATUS 0x{status:X8}"),
    };
}
