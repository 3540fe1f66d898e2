using System.Net;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests many open streams of many users at a time.</summary>
[CollectionDefinition(nameof(ManyStreamsTests), DisableParallelization = true)]
[Collection(nameof(ManyStreamsTests))]
public sealed class ManyStreamsTests
{
    private const int Users = 100;
    private const int Streams = 1000;

    /// <summary>The memory that a stream may take in this process: at the client, the gateway and the backend, with TLS on both
    /// connections.</summary>
    private const int MaxBytesPerStream = 300_000;

    [Fact]
    public async Task A_thousand_streams_are_of_their_users_end_cleanly_and_take_bounded_memory()
    {
        await using var realm = DelegatedGateway.StartRealm();
        for (var i = 0; i < Users; i++)
            realm.User($"u{i}");
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, backend);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var first = await OpenAndEndAsync(gateway, backend) - before;
        var second = await OpenAndEndAsync(gateway, backend) - before;

        (first / Streams).ShouldBeLessThan(MaxBytesPerStream);
        second.ShouldBeLessThan(first * 5 / 4, "streams that have ended take no memory");
        // The connections of the streams that ended by themselves are kept for their users, until the cluster is removed.
        backend.OpenConnections.ShouldBe(Streams / 2);
        await gateway.RemoveClustersAsync();
        await backend.WaitForConnectionsAsync(0);
    }

    /// <summary>Opens the streams. The clients abort one half; the backend ends the others.</summary>
    /// <returns>The memory while all were open.</returns>
    private static async Task<long> OpenAndEndAsync(DelegatedGateway gateway, KerberosBackend backend)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var streams = new (HttpResponseMessage Response, StreamReader Reader)[Streams];
        await Parallel.ForAsync(0, Streams, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellation },
            async (i, _) =>
            {
                var response = await gateway.SendAsync($"u{i % Users}", "/events", request =>
                    (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact));
                response.StatusCode.ShouldBe(HttpStatusCode.OK);
                var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
                (await reader.ReadLineAsync(cancellation)).ShouldBe($"data: u{i % Users} 1");
                streams[i] = (response, reader);
            });
        backend.OpenConnections.ShouldBe(Streams);
        var memory = GC.GetTotalMemory(forceFullCollection: true);

        foreach (var (response, _) in streams[..(Streams / 2)])
            response.Dispose();
        await backend.WaitForConnectionsAsync(Streams / 2);
        backend.NextEvent.Release(Streams);
        for (var i = Streams / 2; i < Streams; i++)
        {
            var (response, reader) = streams[i];
            (await reader.ReadToEndAsync(cancellation)).ShouldBe($"\ndata: u{i % Users} 2\n\ndata: u{i % Users} 3\n\n");
            response.Dispose();
        }
        return memory;
    }
}
