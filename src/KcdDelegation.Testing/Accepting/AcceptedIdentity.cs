using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing;

/// <summary>Whom a token proved to a <see cref="TestAcceptor"/>, and how.</summary>
public sealed record AcceptedIdentity
{
    /// <summary>Client name and realm in the ticket.</summary>
    public required KerberosPrincipal User { get; init; }

    /// <summary>sAMAccountName in the ticket's PAC; null: no PAC.</summary>
    public string? SamAccountName { get; init; }

    /// <summary>User principal name in the ticket's PAC; null: no PAC.</summary>
    public string? UserPrincipalName { get; init; }

    /// <summary>Security identifier in the ticket's PAC, as S-1-5-21-…; null: no PAC.</summary>
    public string? Sid { get; init; }

    /// <summary>The ticket's flags.</summary>
    public required TicketFlags Flags { get; init; }

    /// <summary>How the token was framed.</summary>
    public required TestTokenFormats Format { get; init; }

    /// <summary>The client asked the service to prove itself.</summary>
    public required bool WantsMutualAuthentication { get; init; }

    /// <summary>The token was bound to this very channel.</summary>
    public required bool IsChannelBound { get; init; }

    /// <summary>Value for <c>WWW-Authenticate</c> beside the answer; null: none.</summary>
    public string? Reply { get; init; }
}

/// <summary>How a Kerberos token may be framed.</summary>
[Flags]
public enum TestTokenFormats
{
    /// <summary>The bare GSS krb5 token (RFC 4121 §4.1).</summary>
    Kerberos = 1,

    /// <summary>In SPNEGO's NegTokenInit (RFC 4178 §4.2.1).</summary>
    Spnego = 2,

    /// <summary>Either.</summary>
    Both = Kerberos | Spnego,
}
