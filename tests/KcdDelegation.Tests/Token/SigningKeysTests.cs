using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using KcdDelegation.Settings;
using KcdDelegation.Token;

namespace KcdDelegation.Tests.Token;

public sealed class SigningKeysTests : IDisposable
{
    private readonly FakeIssuer _issuer = new();

    public void Dispose() => _issuer.Dispose();

    [Fact]
    public async Task Keys_are_fetched_once_for_many_tokens_at_once()
    {
        var validator = _issuer.Validator();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => validator.ValidateAsync(_issuer.Token(), Cancel).AsTask()));

        _issuer.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_key_rotated_a_moment_ago_is_found()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.Time.Advance(TimeSpan.FromSeconds(1));
        _issuer.Publish("key-2", FakeIssuer.SecondKey);

        (await validator.ValidateAsync(_issuer.Token("key-2"), Cancel)).FindFirstValue("oid").ShouldBe("ada-1");
    }

    [Fact]
    public async Task Unknown_keys_cause_one_refresh_in_half_a_minute()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.Time.Advance(TimeSpan.FromSeconds(1));

        (await RefusedAsync(validator, Unknown())).IsTransient.ShouldBeFalse();
        var limited = await RefusedAsync(validator, Unknown());
        _issuer.Requests.Count.ShouldBe(4);
        _issuer.Time.Advance(TimeSpan.FromSeconds(30));
        await RefusedAsync(validator, Unknown());

        (limited.EventId, limited.IsTransient).ShouldBe((1010, true));
        _issuer.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task A_withdrawn_key_is_forgotten_at_the_next_refresh()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.PublishedKeys.Clear();
        _issuer.Publish("key-2", FakeIssuer.SecondKey);

        _issuer.Time.Advance(TimeSpan.FromHours(12));

        // The token that triggers the refresh is still validated with the old keys.
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        (await validator.ValidateAsync(_issuer.Token("key-2"), Cancel)).FindFirstValue("oid").ShouldBe("ada-1");
        (await RefusedAsync(validator, _issuer.Token())).EventId.ShouldBe(1010);
    }

    [Fact]
    public async Task An_issuer_that_does_not_answer_does_not_delay_tokens_with_a_known_key()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        using var release = new ManualResetEventSlim();
        var asked = new TaskCompletionSource();
        _issuer.Instead = _ =>
        {
            asked.TrySetResult();
            release.Wait(Cancel);
            return null;
        };
        _issuer.Publish("key-2", FakeIssuer.SecondKey);
        _issuer.Time.Advance(TimeSpan.FromHours(12));

        await validator.ValidateAsync(_issuer.Token(), Cancel);
        await asked.Task;
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.Requests.Count.ShouldBe(3);
        var unknown = validator.ValidateAsync(_issuer.Token("key-2"), Cancel).AsTask();
        unknown.IsCompleted.ShouldBeFalse();
        release.Set();

        (await unknown).FindFirstValue("oid").ShouldBe("ada-1");
        _issuer.Requests.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_failed_refresh_for_an_unknown_key_does_not_make_known_keys_due()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.Instead = _ => FakeIssuer.Answer("", HttpStatusCode.ServiceUnavailable);
        _issuer.Time.Advance(TimeSpan.FromSeconds(1));

        (await RefusedAsync(validator, Unknown())).EventId.ShouldBe(1031);
        _issuer.Time.Advance(TimeSpan.FromSeconds(10));
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        (await RefusedAsync(validator, Unknown())).EventId.ShouldBe(1010);
        _issuer.Requests.Count.ShouldBe(3);
        _issuer.Time.Advance(TimeSpan.FromSeconds(20));
        (await RefusedAsync(validator, Unknown())).EventId.ShouldBe(1031);

        _issuer.Requests.Count.ShouldBe(4);
    }

    public static TheoryData<string, Func<HttpRequestMessage, HttpResponseMessage?>> Unreadable => new()
    {
        { "a kid that is no text", request =>
            request.RequestUri!.Host == "keys.example" ? FakeIssuer.Answer("""{"keys":[{"kid":"\ud800"}]}""") : null },
        { "a name that is no text", _ => FakeIssuer.Answer("""{"\ud800":1}""") },
        { "bytes that are no text", _ =>
            new HttpResponseMessage { Content =
            new ByteArrayContent([.. """{"issuer":"~"}"""u8.ToArray().Select(b => b == (byte)'~' ? (byte)0xFF : b)]) } },
        { "a fault of the reader", _ => throw new NotSupportedException() },
    };

    [Theory]
    [MemberData(nameof(Unreadable), DisableDiscoveryEnumeration = true)]
    public async Task Unreadable_documents_leave_the_last_keys_in_use_and_are_not_fetched_by_every_request(
        string fault, Func<HttpRequestMessage, HttpResponseMessage?> answer)
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.Instead = answer;
        _issuer.Time.Advance(TimeSpan.FromHours(13));

        (await RefusedAsync(validator, Unknown())).EventId.ShouldBe(1032, fault);
        var asked = _issuer.Requests.Count;
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        await validator.ValidateAsync(_issuer.Token(), Cancel);

        _issuer.Requests.Count.ShouldBe(asked);
    }

    [Fact]
    public async Task While_the_issuer_is_away_the_last_keys_serve_for_a_day()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.Instead = _ => FakeIssuer.Answer("", HttpStatusCode.ServiceUnavailable);

        _issuer.Time.Advance(TimeSpan.FromHours(13));
        (await validator.ValidateAsync(_issuer.Token(), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
        _issuer.Time.Advance(TimeSpan.FromHours(12));
        var error = await RefusedAsync(validator, _issuer.Token());

        (error.EventId, error.IsTransient).ShouldBe((1031, true));
        error.Cause.ShouldContain("503");
    }

    [Fact]
    public async Task An_issuer_that_is_down_is_not_asked_by_every_request()
    {
        _issuer.Instead = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        var validator = _issuer.Validator();

        await RefusedAsync(validator, _issuer.Token());
        await RefusedAsync(validator, _issuer.Token());
        _issuer.Requests.Count.ShouldBe(1);
        _issuer.Instead = _ => null;
        _issuer.Time.Advance(TimeSpan.FromSeconds(5));

        (await validator.ValidateAsync(_issuer.Token(), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    [Fact]
    public async Task A_cancelled_caller_does_not_cancel_other_callers()
    {
        var open = new TaskCompletionSource();
        using var release = new ManualResetEventSlim();
        _issuer.Instead = _ =>
        {
            open.TrySetResult();
            release.Wait(Cancel);
            return null;
        };
        var validator = _issuer.Validator();
        using var impatient = new CancellationTokenSource();
        var first = validator.ValidateAsync(_issuer.Token(), impatient.Token).AsTask();
        var second = validator.ValidateAsync(_issuer.Token(), Cancel).AsTask();
        await open.Task;

        await impatient.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        release.Set();

        (await second).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    public static TheoryData<string, Action<JsonObject>, string> RefusedKeys => new()
    {
        { "short RSA", key => Replace(key, RSA.Create(1024)), "2048" },
        { "for encryption", key => key["use"] = "enc", "not for signatures" },
        { "use is no text", key => key["use"] = 5, "not for signatures" },
        { "symmetric", key => key["kty"] = "oct", "neither RSA" },
        { "another curve", key => (key["kty"], key["crv"]) = ("EC", "secp256k1"), "NIST" },
        { "no modulus", key => key.Remove("n"), "malformed" },
        { "modulus is a number", key => key["n"] = 5, "malformed" },
        { "modulus is not base64url", key => key["n"] = "+++", "malformed" },
    };

    [Theory]
    [MemberData(nameof(RefusedKeys), DisableDiscoveryEnumeration = true)]
    public async Task Unsuitable_keys_are_not_used(string fault, Action<JsonObject> make, string why)
    {
        make(_issuer.PublishedKeys[0]);

        var error = await RefusedAsync(_issuer.Validator(), _issuer.Token());

        error.EventId.ShouldBe(1011, fault);
        error.Cause.ShouldContain(why);
    }

    public static TheoryData<string, Action<FakeIssuer>, string> RefusedDocuments => new()
    {
        { "another issuer", i => i.Discovery["issuer"] = "https://evil.example", "evil.example" },
        { "issuer with a slash", i => i.Discovery["issuer"] = FakeIssuer.Authority + "/", "of the issuer" },
        { "no issuer", i => i.Discovery.Remove("issuer"), "of the issuer" },
        { "an issuer for every tenant", i => i.Discovery["issuer"] = "https://login.example/{tenantid}/v2.0", "{tenantid}" },
        { "no keys address", i => i.Discovery.Remove("jwks_uri"), "jwks_uri" },
        { "keys over plain http", i => i.Discovery["jwks_uri"] = "http://keys.example/jwks", "jwks_uri" },
        { "keys from a file", i => i.Discovery["jwks_uri"] = "file:///etc/passwd", "jwks_uri" },
        { "keys from this machine", i => i.Discovery["jwks_uri"] = "http://127.0.0.1/jwks", "jwks_uri" },
        { "two keys with one kid", i => i.Publish("key-1", FakeIssuer.SecondKey), "two keys" },
        { "no JSON", i => i.Instead = _ => FakeIssuer.Answer("<html>sign in</html>"), "not one JSON object" },
        { "duplicate members", i => i.Instead = _ => FakeIssuer.Answer("""{"issuer":"a","issuer":"b"}"""), "duplicate" },
        { "an array", i => i.Instead = _ => FakeIssuer.Answer("[]"), "not one JSON object" },
        { "a redirect", i =>
            i.Instead = _ => new HttpResponseMessage(HttpStatusCode.Found) { Headers = { Location = new Uri("https://evil.example/") } },
            "redirects to \"https://evil.example/\"" },
        { "too large", i => i.Instead = _ => FakeIssuer.Answer(new string(' ', 300_000)), "larger than" },
        { "keys are no list", i =>
            i.Instead = r => r.RequestUri!.Host == "keys.example" ? FakeIssuer.Answer("""{"keys":{}}""") : null, "has no keys" },
    };

    [Theory]
    [MemberData(nameof(RefusedDocuments), DisableDiscoveryEnumeration = true)]
    public async Task Documents_that_are_not_the_pinned_issuers_are_refused(string fault, Action<FakeIssuer> make, string why)
    {
        make(_issuer);

        var error = await RefusedAsync(_issuer.Validator(), _issuer.Token());

        (error.EventId, error.IsTransient).ShouldBe((1032, false), fault);
        error.Cause.ShouldContain(why);
    }

    [Theory]
    [InlineData("http://keys.example/jwks")]
    [InlineData("file:///etc/passwd")]
    public async Task An_issuer_on_this_machine_names_no_other_machine_over_plain_http(string keys)
    {
        _issuer.Discovery["jwks_uri"] = keys;
        _issuer.Instead = request => request.RequestUri!.Host == "localhost" ? FakeIssuer.Answer(_issuer.Discovery.ToJsonString()) : null;
        var validator = _issuer.Validator(token => (token.Authority, token.Issuer) = ("http://localhost:8080", FakeIssuer.Authority));

        var error = await RefusedAsync(validator, _issuer.Token());

        error.EventId.ShouldBe(1032);
        error.Cause.ShouldContain("jwks_uri");
        _issuer.Requests.ShouldNotContain(request => request.Contains("jwks", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_issuer_than_the_authority_is_accepted_if_it_is_pinned()
    {
        _issuer.Discovery["issuer"] = "https://sts.example/tenant/";

        var caller = await _issuer.Validator(o => o.Issuer = "https://sts.example/tenant/")
            .ValidateAsync(_issuer.Token(issuer: "https://sts.example/tenant/"), Cancel);

        caller.FindFirstValue("iss").ShouldBe("https://sts.example/tenant/");
    }

    [Fact]
    public async Task A_redirect_is_not_followed_by_the_real_connection()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var served = ServeAsync(listener);
        var options = Samples.Options();
        options.Token.Authority = $"http://{listener.LocalEndpoint}";
        SettingsParser.TryParse(options, out var settings, out _).ShouldBeTrue();
        using var documents = new IssuerDocuments(settings.ShouldNotBeNull().Token.ShouldNotBeNull(), new PatientTime());

        var error = await Should.ThrowAsync<KcdException>(() => documents.LoadKeysAsync(Cancel));
        listener.Stop();

        error.EventId.ShouldBe(1032);
        (await served).ShouldBe(1);

        static async Task<int> ServeAsync(TcpListener listener)
        {
            var requests = 0;
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync(Cancel);
                    using var reader = new StreamReader(client.GetStream());
                    while (await reader.ReadLineAsync(Cancel) is { Length: > 0 })
                    {
                        // Reads the request's header. Closing earlier would reset the connection.
                    }
                    requests++;
                    await client.GetStream()
                        .WriteAsync(
                            "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(),
                            Cancel);
                }
            }
            catch (Exception error) when (error is SocketException or InvalidOperationException)
            {
                return requests;
            }
        }
    }

    [Fact]
    public async Task An_issuer_that_does_not_answer_in_time_is_transient()
    {
        using var silent = new SilentHandler();
        var options = Samples.Options();
        SettingsParser.TryParse(options, out var settings, out _).ShouldBeTrue();
        using var documents = new IssuerDocuments(settings.ShouldNotBeNull().Token.ShouldNotBeNull(), new HastyTime(), silent);

        var error = await Should.ThrowAsync<KcdException>(() => documents.LoadKeysAsync(Cancel));

        (error.EventId, error.IsTransient).ShouldBe((1031, true));
        error.Cause.ShouldContain("10 seconds");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Unknown() => _issuer.Sign(FakeIssuer.Header("key-" + Guid.NewGuid()), _issuer.Payload());

    private static void Replace(JsonObject key, RSA rsa) =>
        key["n"] = System.Buffers.Text.Base64Url.EncodeToString(rsa.ExportParameters(false).Modulus);

    private static async Task<KcdException> RefusedAsync(TokenValidator validator, string token) =>
        await Should.ThrowAsync<KcdException>(async () => await validator.ValidateAsync(token, Cancel));

    private sealed class SilentHandler : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(System.Threading.Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException();
        }
    }

    /// <summary>A time source whose timers never fire, so that a slow machine does not fail the test.</summary>
    private sealed class PatientTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
    }

    /// <summary>A time source whose timers fire at once.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
