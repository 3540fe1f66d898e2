using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing;

/// <summary>The user that a <see cref="TestAcceptor"/> authenticated, and the properties of the token.</summary>
public sealed record AcceptedIdentity
{
    /// <summary>Gets client name and realm of the ticket.</summary>
    public required KerberosPrincipal User { get; init; }

    /// <summary>Gets the sAMAccountName in the ticket's PAC; null: no PAC.</summary>
    public string? SamAccountName { get; init; }

    /// <summary>Gets the user principal name in the ticket's PAC; null: no PAC.</summary>
    public string? UserPrincipalName { get; init; }

    /// <summary>Gets the security identifier in the ticket's PAC, as S-1-5-21-…; null: no PAC.</summary>
    public string? Sid { get; init; }

    /// <summary>Gets the ticket's flags.</summary>
    public required TicketFlags Flags { get; init; }

    /// <summary>Gets the framing of the token.</summary>
    public required TestTokenFormats Format { get; init; }

    /// <summary>Gets whether the client requested mutual authentication.</summary>
    public required bool WantsMutualAuthentication { get; init; }

    /// <summary>Gets whether the token was bound to this channel.</summary>
    public required bool IsChannelBound { get; init; }

    /// <summary>Gets the value for <c>WWW-Authenticate</c> in the response; null: none.</summary>
    public string? Reply { get; init; }
}

/// <summary>The framings of a Kerberos token.</summary>
[Flags]
public enum TestTokenFormats
{
    /// <summary>The bare GSS krb5 token (RFC 4121 §4.1).</summary>
    Kerberos = 1,

    /// <summary>A Kerberos token in SPNEGO's NegTokenInit (RFC 4178 §4.2.1).</summary>
    Spnego = 2,

    /// <summary>Both framings.</summary>
    Both = Kerberos | Spnego,
}
