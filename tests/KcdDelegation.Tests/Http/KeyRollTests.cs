using System.Net;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Testing;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests a change of a service's key under load, from the KDC to the backend.</summary>
public sealed class KeyRollTests
{
    private const int Users = 50;

    [Fact]
    public async Task No_user_is_refused_when_the_key_of_the_service_changes_under_load()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var realm = TestRealm.Start().Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");
        for (var user = 0; user < Users; user++)
            realm.User($"u{user}");
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/app", cancellationToken: cancel);
        var options = realm.CreateOptions("gw");
        options.Applications["app"] = backend.CreateApplication();
        using var log = new LogRecorder();
        await using var delegation = DelegationClient.Create(options, log);
        using var client = new HttpClient(new KcdHandler(delegation, "app")) { BaseAddress = backend.Url };
        await Task.WhenAll(Enumerable.Range(0, Users).Select(user => SendAsync(user, HttpMethod.Get)));
        realm.ClearTranscript();

        var rolled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var load = Enumerable.Range(0, Users).Select(async user =>
        {
            var statuses = new List<HttpStatusCode>();
            for (var round = 0; round < 6; round++)
            {
                // A fast user must not end before the change.
                if (round == 4)
                    await rolled.Task;
                statuses.Add(await SendAsync(user, round % 2 == 0 ? HttpMethod.Get : HttpMethod.Post));
            }
            return statuses;
        }).ToList();
        realm.RollKeys("HTTP/app", keepOldKeys: false);
        rolled.SetResult();
        var results = await Task.WhenAll(load);

        results.SelectMany(statuses => statuses).ShouldAllBe(status => status == HttpStatusCode.OK);
        realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal))
            .ShouldBe(Users, "each user's ticket is replaced once");
        log.Records.Count(record => record.Id == KcdEventId.RequestSentWithNewTicket).ShouldBeGreaterThanOrEqualTo(Users);

        async Task<HttpStatusCode> SendAsync(int user, HttpMethod method)
        {
            using var request = new HttpRequestMessage(method, "/");
            if (method == HttpMethod.Post)
                request.Content = new StringContent("body");
            request.SetCaller(new ClaimsPrincipal(new ClaimsIdentity([new Claim("upn", $"u{user}@contoso.test")], "test")));
            using var response = await client.SendAsync(request, cancel);
            return response.StatusCode;
        }
    }
}
