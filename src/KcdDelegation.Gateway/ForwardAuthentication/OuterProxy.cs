namespace KcdDelegation.Gateway.ForwardAuthentication;

/// <summary>The proxies that ask the gateway about a request. The names are those in the path of the endpoint.</summary>
internal enum OuterProxy
{
    /// <summary><c>auth_request</c> of nginx, which knows 2xx, 401 and 403 only.</summary>
    Nginx,

    /// <summary><c>forward_auth</c> of Caddy.</summary>
    Caddy,

    /// <summary>HAProxy with the script of the samples.</summary>
    Haproxy,

    /// <summary>The middleware ForwardAuth of Traefik.</summary>
    Traefik,
}
