using System.Net;
using System.Text;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Applications whose answers two readers could end at different bytes, or that never end. The client gets the whole answer, an
/// error, or an answer that is visibly cut; the next request of any user gets its own answer.</summary>
public sealed class HostileResponseTests(HostileApplicationSite site) : IClassFixture<HostileApplicationSite>
{
    private const string Ok = "HTTP/1.1 200 OK\r\n";
    private const string Poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Poison: 1\r\n\r\npoison";

    /// <summary>Answers of which no byte may reach the client.</summary>
    [Theory]
    // Status lines.
    [InlineData("HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 +20 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 000 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 099 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200\u0000OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1\t200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1  200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.10 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("http/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("<html>hello</html>")]
    [InlineData("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n" + Ok + "Content-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nhello")]
    // Header fields.
    [InlineData(Ok + "X\u0000: a\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "X\r: a\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "X y: a\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + ": a\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "X a\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + " X: a\r\nContent-Length: 5\r\n\r\nhello")]
    // Framing.
    [InlineData(Ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: 6\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: 5, 6\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: -1\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: +5\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: 0x5\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: 5 5\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: five\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: 99999999999999999999\r\n\r\nhello")]
    [InlineData(Ok + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "Transfer-Encoding: chunked;q=1\r\nContent-Length: 5\r\n\r\nhello")]
    // The head ends early.
    [InlineData("")]
    [InlineData("HTTP/1.1 2")]
    [InlineData("HTTP/1.1 200 OK\r\n")]
    [InlineData(Ok + "Content-Length: 5\r\nX: ")]
    [InlineData(Ok + "Content-Length: 5\r\n\r")]
    public async Task A_malformed_head_becomes_an_error_of_the_gateway(string answer)
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var received = await site.AskAsync(application, "ada", site.Add(answer, staysOpen: false));

            (received.Status, received.End).ShouldBe((502, AnswerEnd.Whole), $"{application}: {received}");
            received.ToString().ShouldNotContain("hello");
            received.ToString().ShouldNotContain("eve");
            await site.ShouldServeAsync(application);
        }
    }

    /// <summary>Answers whose body ends before its framing says so. The client must see that they are not whole.</summary>
    [Theory]
    [InlineData(Ok + "Content-Length: 10\r\n\r\n")]
    [InlineData(Ok + "Content-Length: 10\r\n\r\nhello")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\nhello\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData(Ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello")]
    public async Task A_body_that_ends_early_is_cut_for_the_client_too(string answer)
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var received = await site.AskAsync(application, "ada", site.Add(answer, staysOpen: false));

            // The connection can end before the head was sent, and an error of the gateway is whole.
            (received.Status, received.End).ShouldBeOneOf(
                [(200, AnswerEnd.Cut), (0, AnswerEnd.Cut), (502, AnswerEnd.Whole)], $"{application}: {received}");
            await site.ShouldServeAsync(application);
        }
    }

    /// <summary>Answers with a second one behind them. It reaches no client, and the connection is not used again.</summary>
    [Theory]
    [InlineData("GET", Ok + "Content-Length: 5\r\n\r\nhello" + Poison, "hello")]
    [InlineData("GET", Ok + "Content-Length: 0\r\n\r\n" + Poison, "")]
    [InlineData("GET", Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + Poison, "hello")]
    [InlineData("GET", Ok + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + Poison, "hello")]
    [InlineData("GET", Ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + Poison, "hello")]
    [InlineData("HEAD", Ok + "Content-Length: 83\r\n\r\n" + Poison, "")]
    [InlineData("HEAD", Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "")]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 83\r\n\r\n" + Poison, "")]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\n\r\n" + Poison, "")]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 83\r\n\r\n" + Poison, "")]
    [InlineData("GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n" + Poison, "")]
    [InlineData("GET", "HTTP/1.1 103 Early Hints\r\nX-Poison: 1\r\n\r\n" + Ok + "Content-Length: 5\r\n\r\nhello" + Poison, "hello")]
    public async Task A_second_answer_reaches_no_client(string method, string answer, string body)
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            foreach (var isLate in (bool[])[false, true])
            {
                var split = isLate ? answer.LastIndexOf(Poison, StringComparison.Ordinal) : -1;
                var written = new TaskCompletionSource();
                var path = site.Add(async (stream, cancellationToken) =>
                {
                    await RawBackend.WriteAsync(stream, split < 0 ? answer : answer[..split], cancellationToken);
                    if (split >= 0)
                    {
                        await Task.Delay(20, cancellationToken);
                        await RawBackend.WriteAsync(stream, Poison, cancellationToken);
                    }
                    written.SetResult();
                    return true;
                });

                var received = await site.AskAsync(application, "ada", path, method);
                (received.Body, received.End).ShouldBe((body, AnswerEnd.Whole), $"{application}: {received}");
                received.Head.ShouldNotContain("X-Poison");
                await written.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
                await site.ShouldServeAsync(application);
            }
        }
    }

    /// <summary>Line breaks that a reader could take for the end of a field (RFC 9110 §5.5). The client gets them as spaces, and cookies
    /// of the gateway in a field of its own are dropped.</summary>
    [Theory]
    [InlineData("X: a\u0000b", "a b")]
    [InlineData("X: a\rSet-Cookie: eve=1", "a Set-Cookie: eve=1")]
    [InlineData("X: a\r\rhello", "a  hello")]
    [InlineData("X: a\r\n Set-Cookie: eve=1", "a   Set-Cookie: eve=1")]
    [InlineData("X: a\r\n\tb", "a  \tb")]
    [InlineData("X: a\nSet-Cookie: __Host-kcd-session=eve", "a")]
    [InlineData("X: a\r\nSet-Cookie: __Host-kcd-session=eve", "a")]
    [InlineData("X: a\r\nSet-Cookie: \r\n __Host-kcd-session=eve", "a")]
    [InlineData("X: a\r\nSet-Cookie: \r__Host-kcd-session=eve", "a")]
    [InlineData("X: a\r\nSet-Cookie: \u0000__Host-kcd-session=eve", "a")]
    public async Task A_value_with_a_line_break_stays_one_value(string field, string value)
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var received = await site.AskAsync(
                application, "ada", site.Add($"{Ok}{field}\r\nContent-Length: 5\r\n\r\nhello", staysOpen: true));

            (received.Status, received.Body, received.End).ShouldBe((200, "hello", AnswerEnd.Whole), $"{application}: {received}");
            received.Find("X").ShouldBe([value]);
            received.Find("Set-Cookie").ShouldBeEmpty();
            await site.ShouldServeAsync(application);
        }
    }

    /// <summary>Heads without an end, and one of 300 KB. They end at the limit of their size, or at the time-out of the
    /// application.</summary>
    [Theory]
    [InlineData("HTTP/1.1 200 ", "O", 1)]
    [InlineData(Ok + "X: ", "a", 1)]
    [InlineData(Ok, "X: a\r\n", 1)]
    [InlineData(Ok, "X: a\r\n", 40)]
    [InlineData(Ok + "Content-Length: 5\r\nX: a", "\r\n a", 1)]
    [InlineData("", "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", 1)]
    [InlineData("", "HTTP/1.1 100 Continue\r\n\r\n", 1)]
    public async Task A_head_without_an_end_is_cut_off_and_others_are_served(string start, string part, int pauseMilliseconds)
    {
        await Task.WhenAll(HostileApplicationSite.ApplicationNames.Select(async application =>
        {
            var path = site.Add(async (stream, cancellationToken) =>
            {
                await RawBackend.WriteAsync(stream, start, cancellationToken);
                var parts = string.Concat(Enumerable.Repeat(part, pauseMilliseconds > 1 ? 1 : 2000));
                while (true)
                {
                    await RawBackend.WriteAsync(stream, parts, cancellationToken);
                    await Task.Delay(pauseMilliseconds, cancellationToken);
                }
            });

            var asked = site.AskAsync(application, "ada", path);
            await site.ShouldServeAsync(application);
            var received = await asked;

            (received.Status, received.End).ShouldBeOneOf([(502, AnswerEnd.Whole), (504, AnswerEnd.Whole)], $"{application}: {received}");
            await site.ShouldServeAsync(application);
        }));
    }

    /// <summary>Parts of a chunked body without an end.</summary>
    [Theory]
    [InlineData("", "0")]
    [InlineData("5", ";a")]
    [InlineData("5\r\nhello\r\n0\r\n", "X: a\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nX: ", "a")]
    public async Task The_framing_of_a_body_without_an_end_is_cut_off(string start, string part)
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var path = site.Add(async (stream, cancellationToken) =>
            {
                await RawBackend.WriteAsync(stream, $"{Ok}Transfer-Encoding: chunked\r\n\r\n{start}", cancellationToken);
                var parts = string.Concat(Enumerable.Repeat(part, 2000));
                while (true)
                    await RawBackend.WriteAsync(stream, parts, cancellationToken);
            });

            var received = await site.AskAsync(application, "ada", path);

            (received.Status, received.End).ShouldBeOneOf(
                [(200, AnswerEnd.Cut), (0, AnswerEnd.Cut), (502, AnswerEnd.Whole)], $"{application}: {received}");
            await site.ShouldServeAsync(application);
        }
    }

    /// <summary>Bytes of header fields that are not ASCII, as old applications have them in cookies and file names.</summary>
    [Theory]
    [InlineData("\u00fcber")]
    [InlineData("a\u00ff\u0080\u00a0b")]
    [InlineData("\u00c3\u00bcber")]
    public async Task Bytes_outside_of_ASCII_reach_the_client_unchanged(string value)
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var path = site.Add($"{Ok}X: {value}\r\nSet-Cookie: c={value}\r\nContent-Length: 5\r\n\r\nhello", staysOpen: true);

            var received = await site.AskAsync(application, "ada", path);

            (received.Status, received.Body, received.End).ShouldBe((200, "hello", AnswerEnd.Whole), $"{application}: {received}");
            received.Find("X").ShouldBe([value]);
            received.Find("Set-Cookie").ShouldBe([$"c={value}"]);
        }
    }

    [Theory]
    [InlineData("\u00c3\u00bcber", 200)]
    [InlineData("\u00e2\u0082\u00ac", 200)]
    [InlineData("\u00fcber", 400)]
    public async Task A_cookie_in_UTF8_reaches_the_application_unchanged_and_other_bytes_are_refused(string value, int status)
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var path = site.Add(Ok + "Content-Length: 5\r\n\r\nhello", staysOpen: true);

            var received = await site.AskAsync(application, "ada", path, headers: $"X: {value}\r\nCookie: c={value}\r\n");

            received.Status.ShouldBe(status, $"{application}: {received}");
            var sent = site.Received.Where(request => request.Line.Contains(path + " ", StringComparison.Ordinal)).ToList();
            sent.Count.ShouldBe(status == 200 ? 1 : 0);
            sent.ShouldAllBe(request => request.Find("X").Single() == value && request.Find("Cookie").Single() == $"c={value}");
        }
    }

    [Fact]
    public async Task An_answer_that_stalls_ends_with_the_time_out_and_a_slow_one_is_served()
    {
        var silent = site.Add(static (_, cancellationToken) => PauseAsync(cancellationToken));
        var inHead = site.Add(static async (stream, cancellationToken) =>
        {
            await RawBackend.WriteAsync(stream, Ok + "X: ", cancellationToken);
            return await PauseAsync(cancellationToken);
        });
        var inBody = site.Add(static async (stream, cancellationToken) =>
        {
            await RawBackend.WriteAsync(stream, Ok + "Content-Length: 10\r\n\r\nhello", cancellationToken);
            return await PauseAsync(cancellationToken);
        });
        var slow = site.Add(static async (stream, cancellationToken) =>
        {
            foreach (var next in Ok + "Content-Length: 11\r\n\r\n")
                await RawBackend.WriteAsync(stream, next.ToString(), cancellationToken);
            foreach (var next in "very slowly")
            {
                await Task.Delay(250, cancellationToken);
                await RawBackend.WriteAsync(stream, next.ToString(), cancellationToken);
            }
            return true;
        });

        await Task.WhenAll(HostileApplicationSite.ApplicationNames.Select(async application =>
        {
            var received = await Task.WhenAll(
                ((string[])[silent, inHead, inBody, slow]).Select(path => site.AskAsync(application, "ada", path)));
            received.Select(answer => (answer.Status, answer.End)).ShouldBe(
                [(504, AnswerEnd.Whole), (504, AnswerEnd.Whole), (200, AnswerEnd.Cut), (200, AnswerEnd.Whole)]);
            received[3].Body.ShouldBe("very slowly");
            await site.ShouldServeAsync(application);
        }));
    }

    [Fact]
    public async Task A_body_without_an_end_ends_with_the_client()
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var (path, ended) = site.AddEndless();

            await using (var stream = await site.Gateway.ConnectAsync($"{application}.contoso.test"))
            {
                await stream.WriteAsync(
                    Encoding.ASCII.GetBytes(
                        $"GET {path} HTTP/1.1\r\nHost: {application}.contoso.test\r\n{Wire.Authorization(site.Gateway)}\r\n"),
                    TestContext.Current.CancellationToken);
                var buffer = new byte[65_536];
                for (var left = 1_000_000; left > 0;)
                {
                    var read = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask()
                        .WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
                    if (left == 1_000_000)
                        Encoding.ASCII.GetString(buffer, 0, read).ShouldStartWith("HTTP/1.1 200 ");
                    read.ShouldBeGreaterThan(0);
                    left -= read;
                }
            }

            await ended.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
            await site.ShouldServeAsync(application);
        }
    }

    /// <summary>The application takes the body for further requests (a desynchronization by <c>Content-Length: 0</c>).</summary>
    [Fact]
    public async Task An_answer_before_the_body_was_read_leaves_no_connection_for_others()
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var path = site.Add(Ok + "Content-Length: 5\r\n\r\nhello" + Poison, staysOpen: true);
            const string body = "GET /smuggled HTTP/1.1\r\nHost: evil.test\r\n\r\n";

            var received = await site.AskAsync(
                application, "ada", path, "POST", FormattableString.Invariant($"Content-Length: {body.Length}\r\n\r\n{body}"));

            received.ToString().ShouldNotContain("poison");
            await site.ShouldServeAsync(application);
        }
    }

    /// <summary>A connection that begins with an answer is one answer ahead of its requests.</summary>
    [Fact]
    public async Task An_answer_before_the_request_delays_no_answer_of_a_user_to_another()
    {
        await using var backend = RawBackend.Start(
            static async (request, stream, cancellationToken) =>
            {
                await Task.Delay(30, cancellationToken);
                await RawBackend.WriteAsync(stream, RawBackend.Answer(request.Line), cancellationToken);
                return true;
            },
            greeting: RawBackend.Answer("early"));
        await using var gateway = await TestGateway.StartAsync(settings =>
            settings["Kcd"]!["Applications"]!["erp"]!["InternalUrl"] = backend.Url);

        for (var i = 0; i < 5; i++)
        {
            foreach (var user in (string[])["ada", "bob"])
                (await gateway.GetAsync(user, $"https://erp.contoso.test/of-{user}")).Body.ShouldBeOneOf(
                    "early", $"GET /of-{user} HTTP/1.1");
        }
        backend.Received.GroupBy(request => request.Connection)
            .ShouldAllBe(connection => connection.Select(request => request.Line).Distinct().Count() == 1);
    }

    [Theory]
    [InlineData(Ok + "Content-Length: 10\r\n\r\nhello")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")]
    public async Task A_body_that_ends_early_resets_the_stream_of_HTTP2(string answer)
    {
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            var path = site.Add(async (stream, cancellationToken) =>
            {
                await RawBackend.WriteAsync(stream, answer, cancellationToken);
                await Task.Delay(50, cancellationToken);
                return false;
            });
            await Should.ThrowAsync<HttpRequestException>(() => site.Gateway.GetAsync(
                "ada", $"https://{application}.contoso.test{path}", request =>
                    (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact)));
            await site.ShouldServeAsync(application);
        }
    }

    private static async Task<bool> PauseAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromSeconds(20), cancellationToken);
        return false;
    }
}
