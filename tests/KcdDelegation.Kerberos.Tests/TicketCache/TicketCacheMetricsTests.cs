using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.TicketCache;

/// <summary>Instruments belong to the process, so no other test may use a cache at the same time.</summary>
[Collection(nameof(TicketCacheMetricsTests))]
[CollectionDefinition(nameof(TicketCacheMetricsTests), DisableParallelization = true)]
public sealed class TicketCacheMetricsTests
{
    private static readonly ServicePrincipalName Web = ServicePrincipalName.Parse("HTTP/web");

    [Fact]
    public async Task Every_path_through_the_cache_is_counted_with_the_kind_of_ticket()
    {
        using var counts = new Counts();
        await using var realm = Start();
        using var account = realm.CreateServiceAccount("gw");
        var client = new S4UClient(new S4UClientOptions
        {
            Realm = realm.Name, Account = account, Kdcs = { [realm.Name] = [realm.Endpoint] },
                Cache = new TicketCacheOptions { MaxEntries = 4 },
        });
        await using (client)
        {
            var ada = KerberosPrincipal.Principal("ada", realm.Name);
            await client.GetTicketAsync(ada, Web, TestContext.Current.CancellationToken);
            counts.Get("misses").ShouldBe(["evidence 1", "service 1", "tgt 1"]);
            counts.Get("exchanges").ShouldBe(["evidence 1", "service 1", "tgt 1"]);
            // The account's ticket was requested for the evidence and found in the cache for the service ticket.
            counts.Get("hits").ShouldBe(["tgt 1"]);

            await client.GetTicketAsync(ada, Web, TestContext.Current.CancellationToken);
            counts.Get("hits").ShouldBe(["service 1", "tgt 1"]);
            counts.Observed("entries").ShouldBe(3);
            counts.Observed("size").ShouldBeGreaterThan(1000);

            var eve = KerberosPrincipal.Principal("eve", realm.Name);
            for (var asked = 0; asked < 3; asked++)
                await Should.ThrowAsync<KerberosException>(
                    async () => await client.GetTicketAsync(eve, Web, TestContext.Current.CancellationToken));
            counts.Get("refusals").ShouldBe(["service 3"]);

            counts.Get("evictions").ShouldBeEmpty();
            await client.GetTicketAsync(KerberosPrincipal.Principal("ben", realm.Name), Web, TestContext.Current.CancellationToken);
        }
        counts.Get("evictions").Sum(line => int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture))
            .ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Only_callers_that_did_not_start_the_exchange_are_counted_as_waiting()
    {
        using var counts = new Counts();
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        await client.LogOnAsync(TestContext.Current.CancellationToken);
        var ada = KerberosPrincipal.Principal("ada", realm.Name);
        await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => client.GetTicketAsync(ada, Web, TestContext.Current.CancellationToken).AsTask()));
        counts.Get("exchanges").ShouldBe(["evidence 1", "service 1", "tgt 1"]);
        var (misses, waits, hits) = (counts.Sum("misses", "service"), counts.Sum("waits", "service"), counts.Sum("hits", "service"));
        (misses + hits).ShouldBe(20);
        waits.ShouldBe(misses - 1);
    }

    private static TestRealm Start() =>
        TestRealm.Start().Account("gw", mayDelegateTo: ["HTTP/web"]).Service("HTTP/web").User("ada").User("ben")
        .User("eve", sensitive: true);

    private sealed class Counts : IDisposable
    {
        private readonly ConcurrentDictionary<(string Instrument, string Kind), long> _sums = new();
        private readonly ConcurrentDictionary<string, long> _observed = new(StringComparer.Ordinal);
        private readonly MeterListener _listener = new();

        public Counts()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name != TicketCacheMetrics.Name)
                    return;
                listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
            _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
            _listener.Start();
        }

        public IReadOnlyList<string> Get(string name) =>
            [.. _sums.Where(sum => sum.Key.Instrument == name).Select(sum => $"{sum.Key.Kind} {sum.Value}").Order(StringComparer.Ordinal)];

        public long Sum(string name, string kind) => _sums.GetValueOrDefault((name, kind));

        public long Observed(string name)
        {
            _observed.Clear();
            _listener.RecordObservableInstruments();
            return _observed[name];
        }

        public void Dispose() => _listener.Dispose();

        private void Note(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var name = instrument.Name["kcd.ticket_cache.".Length..];
            if (instrument.IsObservable)
                _observed.AddOrUpdate(name, value, (_, sum) => sum + value);
            else
                _sums.AddOrUpdate((name, (string)tags[0].Value!), value, (_, sum) => sum + value);
        }
    }
}
