namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings of the listener for clients.</summary>
internal sealed class ListenerOptions
{
    /// <summary>Gets the addresses to listen at, such as <c>https://*:443</c>.</summary>
    public IList<string> Urls { get; } = [];

    /// <summary>Gets the certificates. Clients that name no known host get the first one.</summary>
    public IList<CertificateOptions> Certificates { get; } = [];

    /// <summary>Gets the addresses and networks of proxies whose forwarding headers are used.</summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>Gets further names of request headers that do not reach an application. A name that ends with <c>*</c> is a
    /// prefix.</summary>
    public IList<string> DroppedHeaders { get; } = [];

    /// <summary>Gets the names of request headers that reach applications although they are dropped by default.</summary>
    public IList<string> AllowedHeaders { get; } = [];

    /// <summary>Gets or sets the limits of connections and requests.</summary>
    public LimitOptions Limits { get; set; } = new();
}

/// <summary>A certificate with its key.</summary>
internal sealed class CertificateOptions
{
    /// <summary>Gets or sets the path of a PEM file with the certificate, followed by those of its chain.</summary>
    public string? Certificate { get; set; }

    /// <summary>Gets or sets the path of a PEM file with the private key.</summary>
    public string? Key { get; set; }
}

/// <summary>The limits of connections and requests.</summary>
internal sealed class LimitOptions
{
    public int MaxConnections { get; set; } = 20_000;

    public int MaxRequestHeaderCount { get; set; } = 100;

    /// <summary>Gets or sets the largest total size of the header fields in bytes. A bearer token can have 48 KB.</summary>
    public int MaxRequestHeaderBytes { get; set; } = 65_536;

    /// <summary>Gets or sets the largest size of the request line in bytes. A sign-in returns with a code in the query.</summary>
    public int MaxRequestLineBytes { get; set; } = 16_384;

    /// <summary>Gets or sets the largest size of a request's body in bytes; null for no limit.</summary>
    public long? MaxRequestBodyBytes { get; set; }

    /// <summary>Gets or sets the lowest rate of a body in bytes per second, after five seconds; 0 for none.</summary>
    public int MinRequestBodyRate { get; set; } = 240;

    public TimeSpan RequestHeadersTimeout { get; set; } = TimeSpan.FromSeconds(15);

    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>Gets or sets how long requests in flight may run after the stop of the gateway began.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets how long new requests are still answered after the stop began, while <c>/health/ready</c> fails.</summary>
    public TimeSpan DrainDelay { get; set; } = TimeSpan.FromSeconds(5);
}
