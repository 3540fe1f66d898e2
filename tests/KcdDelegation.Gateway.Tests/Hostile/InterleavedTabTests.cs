using System.Globalization;
using System.Net;
using KcdDelegation.Gateway.Tests.SignIn;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Two users with several tabs each, whose sign-ins begin, answer and end in any order. No user gets the session of the other, and
/// no tab the address of another.</summary>
public sealed class InterleavedTabTests(HostileSignInSite fixture) : IClassFixture<HostileSignInSite>
{
    private const int Count = 300;
    private static readonly string[] s_users = ["ada", "bob"];

    [Fact]
    public async Task Every_tab_of_300_interleavings_ends_with_its_own_user_and_address()
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(1, Count), new ParallelOptions { MaxDegreeOfParallelism = 4 },
            async (seed, _) =>
            {
                try
                {
                    await InterleaveAsync(seed);
                }
                catch (Exception error)
                {
                    throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"), error);
                }
            });
    }

    private async Task InterleaveAsync(int seed)
    {
        var choices = new Choices(seed);
        var browsers = s_users.ToDictionary(user => user, _ => fixture.Site.CreateBrowser(), StringComparer.Ordinal);
        var tabs = s_users.SelectMany(user => Enumerable.Range(0, choices.Next(3) + 1).Select(i => new Tab(
            user, browsers[user], browsers[user == "ada" ? "bob" : "ada"],
            string.Create(CultureInfo.InvariantCulture, $"/{user}/{seed}/{i}?x={i}%2F")))).ToList();
        var open = tabs.ToList();
        while (open.Count > 0)
        {
            var tab = open[choices.Next(open.Count)];
            await tab.StepAsync(fixture.Site.Provider, choices);
            if (tab.IsDone)
                open.Remove(tab);
        }
        foreach (var tab in tabs.DistinctBy(tab => tab.User, StringComparer.Ordinal))
            await tab.ShouldBeSignedInAsync();
    }

    /// <summary>A tab of a user.</summary>
    private sealed class Tab(string user, TestBrowser browser, TestBrowser other, string path)
    {
        private Uri? _request;
        private Uri? _answer;

        public string User => user;

        public bool IsDone { get; private set; }

        /// <summary>Does the next step: the application, the provider, and the answer of the provider.</summary>
        public async Task StepAsync(SignInProvider provider, Choices choices)
        {
            if (_request is null)
            {
                var first = await browser.NavigateAsync(SignInSite.Erp + path);
                // Another tab has signed the user in.
                if (first.Status == HttpStatusCode.OK)
                {
                    first.Body.ShouldContain(user);
                    IsDone = true;
                }
                _request = first.Location;
            }
            else if (_answer is null)
            {
                _answer = provider.Authorize(_request, user: user);
            }
            else
            {
                // The other user opens the answer first.
                if (choices.Next(8) == 0)
                    (await other.NavigateAsync(_answer.AbsoluteUri)).Status.ShouldBe(HttpStatusCode.BadRequest);
                var last = await browser.NavigateAsync(_answer.AbsoluteUri);
                last.Status.ShouldBe(HttpStatusCode.Found);
                last.Location!.AbsoluteUri.ShouldBe(SignInSite.Erp + path);
                IsDone = true;
            }
        }

        public async Task ShouldBeSignedInAsync()
        {
            var page = await browser.NavigateAsync(SignInSite.Erp + path);
            (page.Status, page.Body).ShouldBe((HttpStatusCode.OK, $"{user}@CONTOSO.TEST"));
        }
    }

    /// <summary>Numbers that depend on the seed alone, so that a failure can be repeated (SplitMix64).</summary>
    private sealed class Choices(int seed)
    {
        private ulong _state = (ulong)seed;

        public int Next(int count)
        {
            var next = _state += 0x9e3779b97f4a7c15;
            next = (next ^ (next >> 30)) * 0xbf58476d1ce4e5b9;
            next = (next ^ (next >> 27)) * 0x94d049bb133111eb;
            return (int)((next ^ (next >> 31)) % (ulong)count);
        }
    }
}
