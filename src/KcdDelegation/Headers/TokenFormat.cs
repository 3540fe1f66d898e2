namespace KcdDelegation;

/// <summary>How the ticket is framed; all are sent as <c>Authorization: Negotiate …</c>.</summary>
public enum TokenFormat
{
    /// <summary>The raw Kerberos token (RFC 4121 §4.1).</summary>
    Kerberos,

    /// <summary>The Kerberos token in SPNEGO (RFC 4178), as most servers that are not Windows expect it.</summary>
    Spnego,

    /// <summary>Starts with the raw token and learns from the backend's 401 whether it wants SPNEGO.</summary>
    Auto,
}
