namespace KcdDelegation;

/// <summary>The frame of the ticket. All formats are sent as <c>Authorization: Negotiate …</c>.</summary>
public enum TokenFormat
{
    /// <summary>The raw Kerberos token (RFC 4121 §4.1).</summary>
    Kerberos,

    /// <summary>The Kerberos token in SPNEGO (RFC 4178), as most servers other than Windows expect it.</summary>
    Spnego,

    /// <summary>Starts with the raw token and uses SPNEGO if the backend answers 401.</summary>
    Auto,
}
