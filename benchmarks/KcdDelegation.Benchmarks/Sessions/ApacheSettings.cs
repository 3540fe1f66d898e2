using KcdDelegation.Benchmarks.Gateway;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>The settings of Apache as a proxy that keeps its connections to the backend, with and without mod_auth_openidc.</summary>
internal static class ApacheSettings
{
    public const string Program = "/usr/sbin/apache2";
    public const string OpenIdModule = $"{Modules}/mod_auth_openidc.so";

    private const string Modules = "/usr/lib/apache2/modules";

    /// <summary>The number of threads of a process, twice that of the connections of the load generator. Each processor has one
    /// process.</summary>
    private const int Threads = 128;

    public static string Create(string folder, Uri url, string backend, string? openId) => $"""
        ServerRoot {folder}
        ServerName {url.Host}
        Listen {url.Authority}
        PidFile {folder}/apache.pid
        Mutex pthread default
        DefaultRuntimeDir {folder}
        ErrorLog {folder}/apache.log
        LogLevel warn
        User www-data
        Group www-data
        {Load("mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http")}
        StartServers {ProcessorSet.Gateway.Count}
        ServerLimit {ProcessorSet.Gateway.Count}
        ThreadLimit {Threads}
        ThreadsPerChild {Threads}
        MinSpareThreads {Threads}
        MaxSpareThreads {Threads * ProcessorSet.Gateway.Count}
        MaxRequestWorkers {Threads * ProcessorSet.Gateway.Count}
        KeepAlive On
        MaxKeepAliveRequests 0
        KeepAliveTimeout 60
        {openId}
        ProxyPass / {backend}/ keepalive=On max={Threads}
        """;

    /// <summary>Returns the lines of mod_auth_openidc.</summary>
    /// <param name="url">The address of Apache.</param>
    /// <param name="provider">The provider.</param>
    /// <param name="cacheEntries">The size of the cache in shared memory, which is the default kind. A session takes an entry.</param>
    public static string CreateOpenId(Uri url, BenchmarkProvider provider, int cacheEntries) => $"""
        {Load("auth_openidc")}
        OIDCProviderMetadataURL {provider.Issuer}/.well-known/openid-configuration
        OIDCProviderTokenEndpointAuth client_secret_post
        OIDCClientID {BenchmarkProvider.ClientId}
        OIDCClientSecret {provider.Secret}
        OIDCRedirectURI {new Uri(url, "/.oidc/callback")}
        OIDCCryptoPassphrase {provider.Secret}
        OIDCScope "openid profile"
        OIDCPKCEMethod S256
        OIDCRemoteUserClaim upn
        OIDCPassClaimsAs none
        OIDCCacheShmMax {cacheEntries}
        OIDCSessionInactivityTimeout 3600
        OIDCSessionMaxDuration 28800
        <Location />
          AuthType openid-connect
          Require valid-user
        </Location>
        """;

    /// <summary>Returns the number of entries of the cache: at least the default, and two for each session.</summary>
    public static int GetCacheEntries(int sessions) => Math.Max(10_000, 2 * sessions);

    private static string Load(params string[] modules) =>
        string.Join('\n', modules.Select(module => $"LoadModule {module}_module {Modules}/mod_{module}.so"));
}
