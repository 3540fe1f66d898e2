using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Claims;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>A web application on loopback with a test realm, issuer and backend. It has bearer authentication and the client
/// "erp".</summary>
internal sealed class Site : IAsyncDisposable
{
    public const string Service = "HTTP/erp.contoso.test";

    private readonly List<IAsyncDisposable> _owned = [];

    private Site()
    {
    }

    public required TestRealm Realm { get; init; }

    public required TestIssuer Issuer { get; init; }

    public required TestBackend Backend { get; init; }

    public required WebApplication Application { get; init; }

    /// <summary>A client without a token.</summary>
    public required HttpClient Client { get; init; }

    public required LogRecorder Log { get; init; }

    public Uri Address => new(Application.Urls.First());

    public DelegationClient Delegation => Application.Services.GetRequiredService<DelegationClient>();

    /// <summary>Starts the site.</summary>
    /// <param name="routes">Adds endpoints after the middleware of the package.</param>
    /// <param name="configure">Changes the services after those of the package. They do not include authentication if it registers a
    /// default scheme.</param>
    /// <param name="backend">The settings of the backend.</param>
    /// <param name="realm">Changes the realm.</param>
    /// <param name="bearer">Whether to register the bearer authentication.</param>
    /// <param name="before">Adds middleware before that of the package.</param>
    public static async Task<Site> StartAsync(
        Action<WebApplication>? routes = null,
        Action<WebApplicationBuilder>? configure = null,
        TestBackendOptions? backend = null,
        Action<TestRealm>? realm = null,
        bool bearer = true,
        Action<WebApplication>? before = null)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var directory = TestRealm.Start("CONTOSO.TEST").User("ada").User("bob").User("eve", sensitive: true)
            .Account("GATEWAY$", mayDelegateTo: [Service]).Service(Service).Service("HTTP/other.contoso.test");
        realm?.Invoke(directory);
        var issuer = await TestIssuer.StartAsync(cancellationToken: cancellation);
        var server = await TestBackend.StartAsync(directory, Service, backend, cancellation);
        var log = new LogRecorder();

        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddKcdDelegation(static _ => { }).AddKcdAspNetCore();
        builder.Services.AddHttpClient("erp").AddKcdDelegation("erp");
        builder.Services.AddAuthorization();
        if (bearer)
            builder.Services.AddAuthentication().AddKcdBearer();
        builder.Services.UseTestRealm(directory, "GATEWAY$", issuer).UseTestBackend("erp", server);
        configure?.Invoke(builder);
        var application = builder.Build();
        before?.Invoke(application);
        application.UseKcdDelegation();
        application.MapGet("/orders", GetOrdersAsync).RequireAuthorization();
        routes?.Invoke(application);
        await application.StartAsync(cancellation);
        return new Site
        {
            Realm = directory,
            Issuer = issuer,
            Backend = server,
            Application = application,
            Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
            {
                BaseAddress = new Uri(application.Urls.First()),
            },
            Log = log,
            _owned = { application, server, issuer, directory },
        };
    }

    public string CreateToken(string user) => Issuer.CreateToken($"{user}@contoso.test");

    /// <summary>Sends a request as the user; null for no token.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string? user, string path, Action<HttpRequestMessage>? configure = null, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (user is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", CreateToken(user));
        configure?.Invoke(request);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public async Task<string> GetTextAsync(string user, string path)
    {
        using var response = await SendAsync(user, path);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    public static ClaimsPrincipal CreatePrincipal(string user) => new(new ClaimsIdentity(
        [new Claim("upn", $"{user}@contoso.test"), new Claim("tid", TestIssuer.DefaultTenantId)], "test"));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        foreach (var owned in _owned)
            await owned.DisposeAsync();
    }

    private static Task<string> GetOrdersAsync(IHttpClientFactory clients, CancellationToken cancellationToken) =>
        clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative), cancellationToken);
}

/// <summary>Records the log.</summary>
internal sealed class LogRecorder : ILoggerProvider, ILoggerFactory
{
    private readonly ConcurrentQueue<LogRecord> _records = new();

    public IReadOnlyList<LogRecord> Records => [.. _records];

    public ILogger CreateLogger(string categoryName) => new Recorder(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class Recorder(LogRecorder owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner._records.Enqueue(new LogRecord(category, logLevel, eventId.Id, formatter(state, exception)));
    }
}

internal sealed record LogRecord(string Category, LogLevel Level, int Id, string Text);
