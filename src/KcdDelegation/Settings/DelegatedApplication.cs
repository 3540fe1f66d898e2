using KcdDelegation.Identity;

namespace KcdDelegation;

/// <summary>The settings of a backend that is called as the user: its address, its service principal name and the names of its
/// users.</summary>
/// <remarks>The values are plain, so that code and the configuration section <c>Kcd:Applications:NAME</c> set the same type.</remarks>
public sealed class DelegatedApplication
{
    /// <summary>The backend's address. It is https unless <see cref="AllowPlainHttp"/> is set. Tickets are sent to this origin and to
    /// <see cref="AdditionalOrigins"/> only, for paths below this one.</summary>
    /// <remarks>It is required, except in a YARP gateway for an application that a cluster names: the destinations of the cluster are its
    /// addresses.</remarks>
    public Uri? InternalUrl { get; set; }

    /// <summary>Further origins of the same application, such as the servers behind a load balancer: scheme, host and port, as in
    /// <c>https://erp1.contoso.com:8443</c>.</summary>
    /// <remarks>All of them accept tickets for the one <see cref="ServicePrincipalName"/>, so they run under one account. The path of
    /// <see cref="InternalUrl"/> applies to all. A server with another service principal name is another application.</remarks>
    public IList<string> AdditionalOrigins { get; } = [];

    /// <summary>Values of the Host header that a request may carry in addition to the host and port of its own target, such as the host
    /// that the gateway's own clients use.</summary>
    /// <remarks>They are compared with the whole value, without regard to case. With https, .NET also checks the backend's certificate
    /// against the value that is sent.</remarks>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Allows encoded slashes and backslashes (<c>%2F</c>, <c>%5C</c>) in paths below an <see cref="InternalUrl"/> that has a path
    /// itself.</summary>
    /// <remarks>A backend that decodes them must resolve the path before it decides which application it belongs to. Without a path in the
    /// <see cref="InternalUrl"/> they are always allowed.</remarks>
    public bool AllowEncodedSlashes { get; set; }

    /// <summary>The SPN under which the backend's account is registered, such as <c>HTTP/erp.contoso.com</c>. Delegation lists are matched
    /// on exactly this text.</summary>
    public string? ServicePrincipalName { get; set; }

    /// <summary>Allows a <see cref="ServicePrincipalName"/> of another class than HTTP, or with a port.</summary>
    /// <remarks>A ticket gives the user's rights at the service that the name stands for, such as a file server (<c>cifs</c>) or a domain
    /// controller (<c>ldap</c>). Names of the KDC itself are never allowed.</remarks>
    public bool AllowServiceClass { get; set; }

    /// <summary>The caller's name that the directory knows.</summary>
    public LoginIdentity LoginIdentity { get; set; }

    /// <summary>The frame of the ticket.</summary>
    public TokenFormat TokenFormat { get; set; }

    /// <summary>Whether the ticket goes with the first request.</summary>
    public AuthenticationStart Start { get; set; }

    /// <summary>Whether the backend must prove its identity.</summary>
    public MutualAuthentication MutualAuthentication { get; set; }

    /// <summary>Binds the ticket to the TLS connection (RFC 5929 <c>tls-server-end-point</c>, Extended Protection in Windows). An
    /// intermediary that inspects TLS makes authentication fail.</summary>
    public bool ChannelBinding { get; set; } = true;

    /// <summary>Refuses a backend whose certificate has no channel binding, such as one that is signed with Ed25519 (RFC 5929 §4.1). It
    /// requires <see cref="ChannelBinding"/> and https.</summary>
    public bool RequireChannelBinding { get; set; }

    /// <summary>Lets requests of different users share connections. It cannot be combined with
    /// <see cref="AuthenticationStart.OnChallenge"/>.</summary>
    /// <remarks>Use it only for a backend that authenticates each request by itself. Any other backend answers one user with another user's
    /// data.</remarks>
    public bool ShareConnectionsBetweenUsers { get; set; }

    /// <summary>The number of users who have connections at a time; null for <see cref="KcdOptions.MaxUsers"/>.</summary>
    public int? MaxUsers { get; set; }

    /// <summary>The number of connections that one user uses at a time; null for
    /// <see cref="KcdOptions.MaxConnectionsPerUser"/>.</summary>
    public int? MaxConnectionsPerUser { get; set; }

    /// <summary>The time that a request waits for a connection; null for <see cref="KcdOptions.MaxConnectionWait"/>.</summary>
    public TimeSpan? MaxConnectionWait { get; set; }

    /// <summary>Allows an <see cref="InternalUrl"/> with plain http, where an eavesdropper can use the ticket.</summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>The realm of users whose name does not say it; null for the delegating account's realm if it is the only one.</summary>
    /// <remarks>With several realms, names without a realm need it, a listed suffix, or a claim with the domain of the account.</remarks>
    public string? UserRealm { get; set; }

    /// <summary>The claim to read instead of the default ones of <see cref="LoginIdentity"/>. Claims that users or applications can set
    /// (<c>email</c>, <c>preferred_username</c>, <c>unique_name</c>, <c>name</c> and the like) are refused unless
    /// <see cref="AllowUnsafeClaimType"/> is set.</summary>
    public string? ClaimType { get; set; }

    /// <summary>Unsafe: accepts a <see cref="ClaimType"/> whose value the user may be able to choose. A user who sets such a claim to
    /// another user's name acts as that user.</summary>
    public bool AllowUnsafeClaimType { get; set; }

    /// <summary>Refuses callers without the SID of their account (claim <c>onprem_sid</c> or
    /// <c>onpremisessecurityidentifier</c>).</summary>
    /// <remarks>The ticket must then be for the account with this SID, so a name that exists in several domains reaches no other
    /// person.</remarks>
    public bool RequireSecurityIdentifier { get; set; }

    /// <summary>Allows delegation of built-in accounts (Administrator, Guest and their translations) and computer accounts (<c>NAME$</c>).
    /// <c>krbtgt</c> is never delegated.</summary>
    public bool AllowBuiltInAccounts { get; set; }

    /// <summary>Gets the scopes that an access token must have for this application, in addition to those of
    /// <see cref="TokenOptions.RequiredScopes"/>.</summary>
    public IList<string> RequiredScopes { get; } = [];

    /// <summary>Gets the roles that a caller must have for this application, in addition to those of
    /// <see cref="TokenOptions.RequiredRoles"/>.</summary>
    public IList<string> RequiredRoles { get; } = [];

    /// <summary>The realm of this application's delegating account, which is then set in <see cref="ServiceAccount"/>; null for the common
    /// realm.</summary>
    public string? Realm { get; set; }

    /// <summary>The delegating account of this application; null for the common account.</summary>
    public ServiceAccountOptions? ServiceAccount { get; set; }

    /// <summary>Gets or sets the rules for callers, of a host whose applications have different token issuers; null for those of
    /// <see cref="KcdOptions.Token"/>.</summary>
    internal CallerPolicy? Callers { get; set; }
}
