using System.Security.Claims;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Sessions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Gateway.Tests.Sessions;

/// <summary>A directory with sessions and keys, which several stores can use one after the other, as processes do.</summary>
internal sealed class SessionFixture : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("kcd-sessions-");
    private readonly List<SessionStore> _stores = [];

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 27, 8, 0, 0, TimeSpan.Zero));

    public SessionSettings Settings { get; set; } = SessionSettings.Default;

    public SessionRequests Requests { get; } = new();

    public string Sessions => Path.Combine(_root.FullName, "sessions");

    public string Keys => Path.Combine(_root.FullName, "keys");

    public string[] Files => Directory.GetFiles(Sessions);

    /// <summary>Starts a store, as a new process does.</summary>
    public SessionStore Start()
    {
        var protection = DataProtectionProvider.Create(new DirectoryInfo(Keys));
        var store = new SessionStore(
            new SessionFiles(Sessions, protection), () => Settings, Requests, Time, NullLoggerFactory.Instance);
        _stores.Add(store);
        return store;
    }

    public AuthenticationTicket CreateTicket(
        string user = "ada", string? sessionId = "sid-1", string host = "erp.contoso.test",
        Func<SessionTicket, SessionTicket>? change = null)
    {
        var principal = new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim("sub", user), new Claim("upn", $"{user}@contoso.test")], "IdToken", "sub", "roles"));
        var session = new SessionTicket
        {
            Provider = "entra",
            Host = host,
            Issuer = "https://issuer.test",
            Subject = user,
            SessionId = sessionId,
            IdToken = "id-token-of-" + user,
        };
        var properties = new AuthenticationProperties { IssuedUtc = Time.GetUtcNow() };
        (change?.Invoke(session) ?? session).Write(properties);
        return new AuthenticationTicket(principal, properties, GatewaySchemes.Session);
    }

    public void Dispose()
    {
        foreach (var store in _stores)
            store.Dispose();
        _root.Delete(recursive: true);
    }
}
