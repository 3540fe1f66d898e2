using System.Collections.Concurrent;
using System.Net;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests that no user gets an answer of another one, whatever happens to their requests, the backends and the
/// configuration.</summary>
public sealed class InterleavedUsersTests
{
    private const int Requests = 20_000;

    /// <summary>The number of requests that are sent while one change is made.</summary>
    private const int RequestsPerChange = 200;

    [Fact]
    public async Task No_answer_is_of_another_user_through_aborts_restarts_and_reloads()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var first = await ConnectionBoundBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var second = await ConnectionBoundBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(
            new GatewaySetup { Realm = realm, Cluster = DelegatedGateway.CreateCluster("erp", first.Url) });
        var answers = new Answers();
        for (var start = 0; start < Requests; start += RequestsPerChange)
        {
            var number = start / RequestsPerChange;
            await Task.WhenAll(
                Parallel.ForAsync(
                    start, start + RequestsPerChange,
                    new ParallelOptions { MaxDegreeOfParallelism = 24, CancellationToken = TestContext.Current.CancellationToken },
                    async (i, _) => answers.Add(await SendAsync(gateway, i))),
                ChangeAsync(gateway, first, second, number));
        }

        answers.Wrong.Take(5).ShouldBeEmpty();
        first.Violations.ShouldBeEmpty();
        second.Violations.ShouldBeEmpty();
        // The test can fail only if connections were reused, and most requests were served.
        answers.Served["ada"].ShouldBeGreaterThan(Requests / 4);
        answers.Served["bob"].ShouldBeGreaterThan(Requests / 4);
        answers.Aborted.ShouldBeInRange(Requests / 100, Requests / 30);
        (first.Connections + second.Connections).ShouldBeInRange(200, Requests / 4);
    }

    /// <summary>Makes one of the changes, in turn, while requests are sent.</summary>
    private static async Task ChangeAsync(
        DelegatedGateway gateway, ConnectionBoundBackend first, ConnectionBoundBackend second, int number)
    {
        switch (number % 8)
        {
            case 0:
                await UpdateAsync(gateway, "erp", first.Url, second.Url);
                break;
            case 1 or 4:
                await first.RestartAsync(withNewCertificate: number % 16 == 1);
                break;
            case 2:
                await UpdateAsync(gateway, "erp", second.Url);
                break;
            case 3 or 7:
                await second.RestartAsync(withNewCertificate: number % 16 == 3);
                break;
            case 5:
                // The cluster is plain for a short time, and its requests have no ticket.
                await UpdateAsync(gateway, null, first.Url, second.Url);
                await Task.Delay(10, TestContext.Current.CancellationToken);
                await UpdateAsync(gateway, "erp", first.Url, second.Url);
                break;
            default:
                await UpdateAsync(gateway, "erp", first.Url);
                break;
        }
    }

    private static async Task UpdateAsync(DelegatedGateway gateway, string? application, params IReadOnlyList<Uri> addresses) =>
        (await gateway.UpdateAsync(DelegatedGateway.CreateCluster(application, addresses))).ShouldBeNull();

    private static async Task<Answer> SendAsync(DelegatedGateway gateway, int number)
    {
        var user = number % 2 == 0 ? "ada" : "bob";
        // Every 33rd request is aborted, before, during or after its answer.
        var isAborted = number % 33 == 0;
        var length = number % 5 == 0 ? number % 40_000 : 0;
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        if (isAborted)
            abort.CancelAfter(number / 33 % 8);
        try
        {
            using var response = await gateway.SendAsync(user, $"/{(isAborted ? "slow" : "")}?{number}", request =>
            {
                (request.Version, request.VersionPolicy) =
                    (number % 4 < 2 ? HttpVersion.Version11 : HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
                if (length > 0)
                    request.Content = new ByteArrayContent(new byte[length]);
            }, length > 0 ? HttpMethod.Post : HttpMethod.Get, abort.Token);
            var body = await response.Content.ReadAsStringAsync(abort.Token);
            var isRight = response.StatusCode switch
            {
                HttpStatusCode.OK => body == $"{user}?{number} {length}",
                // While the cluster is plain, and while a backend is stopped or its destination is removed.
                HttpStatusCode.Unauthorized or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable => true,
                _ => false,
            };
            return new Answer(
                user, response.StatusCode == HttpStatusCode.OK, isRight ? null : $"{user}?{number} {length}: {response.StatusCode} {body}");
        }
        catch (OperationCanceledException) when (isAborted)
        {
            return new Answer(user, IsServed: false, Wrong: null) { IsAborted = true };
        }
        catch (HttpRequestException)
        {
            // The backend was stopped while it answered.
            return new Answer(user, IsServed: false, Wrong: null);
        }
    }

    private sealed record Answer(string User, bool IsServed, string? Wrong)
    {
        public bool IsAborted { get; init; }
    }

    private sealed class Answers
    {
        private int _aborted;

        public ConcurrentDictionary<string, int> Served { get; } = new(StringComparer.Ordinal);

        public ConcurrentQueue<string> Wrong { get; } = new();

        public int Aborted => _aborted;

        public void Add(Answer answer)
        {
            if (answer.IsServed)
                Served.AddOrUpdate(answer.User, 1, static (_, count) => count + 1);
            if (answer.IsAborted)
                Interlocked.Increment(ref _aborted);
            if (answer.Wrong is { } wrong)
                Wrong.Enqueue(wrong);
        }
    }
}
