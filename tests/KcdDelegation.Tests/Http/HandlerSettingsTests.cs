using System.Net;
using KcdDelegation.Http;

namespace KcdDelegation.Tests.Http;

public sealed class HandlerSettingsTests
{
    public static TheoryData<string, Action<SocketsHttpHandler>> Refused => new()
    {
        { "Credentials", handler => handler.Credentials = CredentialCache.DefaultCredentials },
        { "PreAuthenticate", handler => handler.PreAuthenticate = true },
        { "proxy", handler => handler.Proxy = new WebProxy("http://proxy:8080") },
        { "proxy", handler => handler.DefaultProxyCredentials = CredentialCache.DefaultCredentials },
        { "CookieContainer", handler => handler.CookieContainer.Add(new Cookie("a", "b", "/", "localhost")) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Settings_that_would_let_users_share_state_are_refused(string name, Action<SocketsHttpHandler> configure)
    {
        var delegation = new FakeDelegation(new Uri("http://localhost/"));
        Should.Throw<InvalidOperationException>(() => delegation.CreateClient(() =>
        {
            var handler = new SocketsHttpHandler();
            configure(handler);
            return handler;
        })).Message.ShouldContain(name);
    }

    [Fact]
    public void Features_that_dotnet_turns_on_by_default_are_turned_off()
    {
        var given = new SocketsHttpHandler();
        using var handler = new SocketsHttpHandlers(() => given).Create();
        handler.ShouldBeSameAs(given);
        (handler.UseCookies, handler.AllowAutoRedirect, handler.UseProxy).ShouldBe((false, false, false));
    }

    [Fact]
    public async Task A_factory_that_returns_one_handler_for_all_users_is_rejected()
    {
        await using var backend = await FakeBackend.StartAsync();
        var one = new SocketsHttpHandler();
        using var client = new FakeDelegation(backend.Url).CreateClient(() => one);
        (await Should.ThrowAsync<InvalidOperationException>(() => client.GetStringAsAsync("ada"))).Message.ShouldContain("twice");
        backend.Seen.ShouldBeEmpty();
    }

    [Fact]
    public void A_factory_that_returns_null_is_rejected() =>
        Should.Throw<InvalidOperationException>(() => new FakeDelegation(new Uri("http://localhost/")).CreateClient(() => null!));
}
