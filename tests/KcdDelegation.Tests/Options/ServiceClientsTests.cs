using KcdDelegation.Kerberos;
using KcdDelegation.Lifetime;
using KcdDelegation.Settings;
using KcdDelegation.Tickets;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Tests.Settings;

public sealed class ServiceClientsTests : IAsyncDisposable
{
    private readonly DeferredDisposal _retirement = new(TimeProvider.System);
    private readonly ServiceClients _clients;

    public ServiceClientsTests() => _clients = new ServiceClients(_retirement, NullLoggerFactory.Instance, TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        await _clients.DisposeAsync();
        await _retirement.DisposeAsync();
    }

    [Fact]
    public void Equal_settings_share_a_client()
    {
        _clients.Apply(Settings());

        _clients.Get(Client(Settings())).ShouldBeSameAs(_clients.Get(Client(Settings())));
    }

    [Theory]
    [InlineData("account")]
    [InlineData("realm")]
    [InlineData("kdcs")]
    [InlineData("limits")]
    [InlineData("key")]
    public void A_change_of_account_realm_KDCs_limits_or_key_creates_another_client(string change)
    {
        var settings = Settings();
        var changed = Settings(o => _ = change switch
        {
            "account" => (object)(o.ServiceAccount.Name = "OTHER$"),
            "realm" => o.Realm = "OTHER.COM",
            "kdcs" => o.Kdcs[0] = "dc9.contoso.com",
            "limits" => o.TicketTimeout = TimeSpan.FromSeconds(3),
            _ => o.ServiceAccount.Keytab = typeof(ServiceClientsTests).Assembly.Location,
        });
        _clients.Apply(settings);
        var before = _clients.Get(Client(settings));

        _clients.Apply(changed);

        _clients.Get(Client(changed)).ShouldNotBeSameAs(before);
    }

    [Fact]
    public void A_change_of_something_else_keeps_the_client()
    {
        var settings = Settings();
        _clients.Apply(settings);
        var before = _clients.Get(Client(settings));

        var changed = Settings(o => o.Application().TokenFormat = TokenFormat.Auto);
        _clients.Apply(changed);

        _clients.Get(Client(changed)).ShouldBeSameAs(before);
    }

    [Fact]
    public async Task A_replaced_client_serves_pending_requests_and_is_disposed_after_them()
    {
        var settings = Settings();
        _clients.Apply(settings);
        var before = _clients.Get(Client(settings));

        _clients.Apply(Settings(o => o.ServiceAccount.Name = "OTHER$"));
        _clients.Get(Client(settings)).ShouldBeSameAs(before);
        await _retirement.DisposeAsync();

        await Should.ThrowAsync<ObjectDisposedException>(async () => await before.LogOnAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_reverted_change_does_not_dispose_the_client_in_force()
    {
        var settings = Settings();
        _clients.Apply(settings);
        var before = _clients.Get(Client(settings));

        _clients.Apply(Settings(o => o.ServiceAccount.Name = "OTHER$"));
        _clients.Apply(settings);
        var after = _clients.Get(Client(settings));
        await _retirement.DisposeAsync();

        after.ShouldNotBeSameAs(before);
        after.Purge(KerberosPrincipal.Principal("ada", "CONTOSO.COM")).ShouldBe(0);
        _clients.Get(Client(settings)).ShouldBeSameAs(after);
    }

    [Fact]
    public async Task After_disposal_no_client_is_created()
    {
        _clients.Apply(Settings());
        await _clients.DisposeAsync();

        Should.Throw<ObjectDisposedException>(() => _clients.Get(Client(Settings())));
    }

    private static KcdSettings Settings(Action<KcdOptions>? change = null)
    {
        var options = Samples.Options();
        change?.Invoke(options);
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        return settings.ShouldNotBeNull();
    }

    private static ClientSettings Client(KcdSettings settings) => settings.Applications["erp"].Client;
}
