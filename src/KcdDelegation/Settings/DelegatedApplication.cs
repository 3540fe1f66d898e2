namespace KcdDelegation;

/// <summary>A backend that is called as the user: where it is, its service principal name, and how its users are named. Plain values, bound
/// from code and from <c>Kcd:Applications:NAME</c> alike.</summary>
public sealed class DelegatedApplication
{
    /// <summary>The backend's address. https, unless <see cref="AllowPlainHttp"/> is set. Tickets are sent to this origin only.</summary>
    public Uri? InternalUrl { get; set; }

    /// <summary>The SPN under which the backend's account is registered, such as <c>HTTP/erp.contoso.com</c>. Delegation lists are matched
    /// on exactly this text.</summary>
    public string? ServicePrincipalName { get; set; }

    /// <summary>Which of the caller's names the directory knows.</summary>
    public LoginIdentity LoginIdentity { get; set; }

    /// <summary>How the ticket is framed.</summary>
    public TokenFormat TokenFormat { get; set; }

    /// <summary>Whether the ticket goes with the first request.</summary>
    public AuthenticationStart Start { get; set; }

    /// <summary>Whether the backend must prove who it is.</summary>
    public MutualAuthentication MutualAuthentication { get; set; }

    /// <summary>Binds the ticket to the TLS connection (RFC 5929 <c>tls-server-end-point</c>, Extended Protection in Windows). A proxy
    /// that inspects TLS on the way breaks it.</summary>
    public bool ChannelBinding { get; set; } = true;

    /// <summary>Lets requests of different users share connections. Only for a backend that authenticates each request by itself: any
    /// other answers one user with another user's data. Not together with <see cref="AuthenticationStart.OnChallenge"/>.</summary>
    public bool ShareConnectionsBetweenUsers { get; set; }

    /// <summary>Allows an <see cref="InternalUrl"/> with plain http, over which anyone on the way can use the ticket.</summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>The realm of users whose name has no suffix; null: the delegating account's realm.</summary>
    public string? UserRealm { get; set; }

    /// <summary>The claim to read instead of the default ones of <see cref="LoginIdentity"/>. Claims that users or applications can set
    /// (<c>email</c>, <c>preferred_username</c>, <c>unique_name</c>, <c>name</c> and the like) are refused unless
    /// <see cref="AllowUnsafeClaimType"/> is set.</summary>
    public string? ClaimType { get; set; }

    /// <summary>Unsafe: accepts a <see cref="ClaimType"/> that the user may be able to choose. Whoever sets such a claim to another
    /// user's name acts as that user.</summary>
    public bool AllowUnsafeClaimType { get; set; }

    /// <summary>Lets built-in accounts (Administrator, Guest and their translations) and computer accounts (<c>NAME$</c>) be delegated.
    /// <c>krbtgt</c> never is.</summary>
    public bool AllowBuiltInAccounts { get; set; }

    /// <summary>Another realm for this application's delegating account, which then is in <see cref="ServiceAccount"/>; null: the common
    /// one.</summary>
    public string? Realm { get; set; }

    /// <summary>Another delegating account for this application; null: the common one.</summary>
    public ServiceAccountOptions? ServiceAccount { get; set; }
}
