using System.Collections.Concurrent;
using KcdDelegation.Diagnosis;
using KcdDelegation.Http;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using KcdDelegation.Tests.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests random sequences of leases, evictions, retirements and cancellations. A failure names its seed.</summary>
public sealed class ConnectionRaceTests
{
    private const int Users = 9;

    private static readonly KerberosPrincipal[] s_users =
        [.. Enumerable.Range(0, Users).Select(user => KerberosPrincipal.Principal($"user{user}", "CONTOSO.COM"))];

    public static TheoryData<int> Seeds => [1, 2, 3, Environment.TickCount];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Leases_stay_within_the_limits_and_with_their_users(int seed)
    {
        var limits = new ConnectionLimits(MaxUsers: 3, MaxConnectionsPerUser: 2, TimeSpan.FromSeconds(30));
        var services = new ConnectionServices(new SocketsHttpHandlers(create: null), "races", NullLogger.Instance);
        var pool = new UserConnectionPool(services, TimeProvider.System);
        var active = new int[Users];
        var used = new ConcurrentDictionary<UserConnection, int>();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() => WorkAsync(new Choices(seed + worker)))));

        active.ShouldAllBe(leases => leases == 0, $"seed {seed}");
        // Every lease has ended, so each user can be admitted again.
        foreach (var user in Enumerable.Range(0, Users))
            (await LeaseAsync(user, CancellationToken.None)).End();
        pool.Dispose();
        used.Keys.ShouldAllBe(connection => !connection.TryAddLease(), $"seed {seed}: all connections are closed");

        async Task WorkAsync(Choices random)
        {
            for (var step = 0; step < 1500; step++)
            {
                var user = random.Next(Users);
                using var cancellation = new CancellationTokenSource();
                if (random.Next(4) == 0)
                    cancellation.CancelAfter(TimeSpan.FromMilliseconds(random.Next(3)));
                ConnectionLease lease;
                try
                {
                    lease = await LeaseAsync(user, cancellation.Token);
                }
                catch (OperationCanceledException)
                {
                    continue;
                }
                int leases, users;
                // Counted at one moment: while a loop reads one user's leases, another user's may change.
                lock (active)
                    (leases, users) = (++active[user], active.Count(count => count > 0));
                leases.ShouldBeLessThanOrEqualTo(2, $"seed {seed}");
                users.ShouldBeLessThanOrEqualTo(3, $"seed {seed}");
                lease.User.Key.User.ShouldBe(s_users[user]);
                used.GetOrAdd(lease.Connection, user).ShouldBe(user, $"seed {seed}");
                switch (random.Next(6))
                {
                    case 0:
                        lease.User.Retire(lease.Connection);
                        break;
                    case 1:
                        using (var request = new HttpRequestMessage())
                            lease = lease.User.Replace(lease, request, authorization: null);
                        break;
                    case 2:
                        await Task.Yield();
                        break;
                    case 3:
                        await Task.Delay(1, CancellationToken.None);
                        break;
                }
                lock (active)
                    active[user]--;
                lease.End();
            }
        }

        ValueTask<ConnectionLease> LeaseAsync(int user, CancellationToken cancellationToken) => pool.LeaseAsync(
            new ConnectionKey(
                s_users[user], FakeTickets.Service, new Uri("http://localhost/"), ChannelBinding: false, RequiresChannelBinding: false),
            s_users[user], limits, cancellationToken);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task No_response_belongs_to_another_user(int seed)
    {
        var owners = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        // A backend that ties the user to the connection: it answers as the first user of the connection.
        await using var backend = await FakeBackend.StartTlsAsync(
            async context =>
            {
                var user = OpenedAuthorization.Open(context.Request.Headers.Authorization.ToString()).User;
                var owner = owners.GetOrAdd(context.Connection.Id, user);
                await context.Response.WriteAsync(owner);
                if (context.Request.Path == "/abort")
                    context.Abort();
                if (context.Request.Path == "/close")
                    context.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeNotificationFeature>()?
                        .RequestClose();
                if (context.Request.Path == "/slow")
                {
                    await context.Response.Body.FlushAsync();
                    await Task.Delay(5, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    await context.Response.WriteAsync(owner);
                }
            },
            certificates: 2);
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 4);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => WorkAsync(new Choices(seed + worker))));
        foreach (var user in Enumerable.Range(0, Users))
            (await client.GetStringAsAsync($"user{user}")).ShouldBe($"user{user}", $"seed {seed}");

        async Task WorkAsync(Choices random)
        {
            for (var step = 0; step < 60; step++)
            {
                var user = $"user{random.Next(Users)}";
                var path = random.Next(8) switch { 0 => "/abort", 1 => "/close", 2 or 3 => "/slow", _ => "/" };
                using var cancellation = new CancellationTokenSource();
                if (random.Next(6) == 0)
                    cancellation.CancelAfter(TimeSpan.FromMilliseconds(random.Next(10)));
                try
                {
                    using var request = FakeDelegation.As(user, path);
                    using var response = await client.SendAsync(
                        request, HttpCompletionOption.ResponseHeadersRead, cancellation.Token);
                    // Some responses are dropped before they have been read.
                    if (random.Next(4) == 0)
                        continue;
                    (await response.Content.ReadAsStringAsync(cancellation.Token))
                        .ShouldBe(path == "/slow" ? user + user : user, $"seed {seed}");
                }
                catch (OperationCanceledException)
                {
                    // The request was cancelled.
                }
                catch (Exception error) when (error is HttpRequestException or IOException)
                {
                    // The backend aborts connections, also those that other requests of the user have just reused.
                    path.ShouldBeOneOf("/abort", "/close", "/slow", "/");
                }
                catch (KcdException error)
                {
                    error.EventId.ShouldBe(KcdEventId.CertificateChanged, $"seed {seed}");
                }
            }
        }
    }

    /// <summary>Repeatable choices. The linear congruential generator has no use beyond tests.</summary>
    private sealed class Choices(int seed)
    {
        private ulong _state = (ulong)seed;

        public int Next(int bound)
        {
            _state = unchecked((_state * 6_364_136_223_846_793_005) + 1_442_695_040_888_963_407);
            return (int)((_state >> 33) % (ulong)bound);
        }
    }
}
