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
    public async Task An_outage_of_the_issuer_is_logged_once_until_it_ends()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        for (var outage = 1; outage <= 2; outage++)
        {
            _issuer.Instead = _ => FakeIssuer.Answer("", HttpStatusCode.ServiceUnavailable);
            for (var attempt = 0; attempt < 3; attempt++)
            {
                _issuer.Time.Advance(TimeSpan.FromSeconds(40));
                (await RefusedAsync(validator, Unknown())).EventId.ShouldBe(1031);
            }
            _issuer.Log.Records.Count(record => record.Id == 1031).ShouldBe(outage);
            _issuer.Instead = _ => null;
            _issuer.Time.Advance(TimeSpan.FromSeconds(40));
            (await RefusedAsync(validator, Unknown())).EventId.ShouldBe(1010);
        }
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

    [Theory]
    [InlineData(-40)]
    [InlineData(40)]
    public async Task A_correction_of_the_clock_does_not_delay_a_newly_published_key(int hours)
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        await RefusedAsync(validator, Unknown());
        _issuer.Time.CorrectClock(TimeSpan.FromHours(hours));
        _issuer.Publish("key-2", FakeIssuer.SecondKey);

        _issuer.Time.Advance(TimeSpan.FromSeconds(31));

        (await validator.ValidateAsync(_issuer.Token("key-2"), Cancel)).FindFirstValue("oid").ShouldBe("ada-1");
    }

    [Fact]
    public async Task A_correction_of_the_clock_neither_keeps_old_keys_nor_drops_current_ones()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.Instead = _ => FakeIssuer.Answer("", HttpStatusCode.ServiceUnavailable);
        _issuer.Time.CorrectClock(TimeSpan.FromHours(30));
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        _issuer.Requests.Count.ShouldBe(2);

        _issuer.Time.CorrectClock(TimeSpan.FromHours(-60));
        _issuer.Time.Advance(TimeSpan.FromHours(25));

        (await RefusedAsync(validator, _issuer.Token())).EventId.ShouldBe(1031);
    }

    [Fact]
    public async Task A_correction_of_the_clock_does_not_delay_the_next_attempt_at_an_issuer_that_was_down()
    {
        _issuer.Instead = _ => FakeIssuer.Answer("", HttpStatusCode.ServiceUnavailable);
        var validator = _issuer.Validator();
        await RefusedAsync(validator, _issuer.Token());
        _issuer.Instead = _ => null;
        _issuer.Time.CorrectClock(TimeSpan.FromHours(-40));
        _issuer.Time.Advance(TimeSpan.FromSeconds(6));

        (await validator.ValidateAsync(_issuer.Token(), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    public static TheoryData<string, Action<JsonObject>, string> RefusedKeys => new()
    {
        { "short RSA", key => Replace(key, RSA.Create(1024)), "2048" },
        { "for encryption", key => key["use"] = "enc", "not for signatures" },
        { "use is no text", key => key["use"] = 5, "not for signatures" },
        { "symmetric", key => key["kty"] = "oct", "neither RSA" },
        { "another curve", key => (key["kty"], key["crv"]) = ("EC", "secp256k1"), "NIST" },
        { "use is null", key => key["use"] = null, "not for signatures" },
        { "use in capitals", key => key["use"] = "SIG", "not for signatures" },
        { "operations without verify", key => key["key_ops"] = new JsonArray("encrypt", "wrapKey"), "verify" },
        { "operations of a private key", key => key["key_ops"] = new JsonArray("sign"), "verify" },
        { "no operations", key => key["key_ops"] = new JsonArray(), "verify" },
        { "operations are text", key => key["key_ops"] = "verify", "verify" },
        { "operations are null", key => key["key_ops"] = null, "verify" },
        { "a number among the operations", key => key["key_ops"] = new JsonArray("verify", 1), "verify" },
        { "for encryption by its operations only", key =>
            {
                key.Remove("use");
                key["key_ops"] = new JsonArray("decrypt");
            }, "verify" },
        { "for another algorithm", key => key["alg"] = "RS512", "RS512" },
        { "for another padding", key => key["alg"] = "PS256", "PS256" },
        { "for the encryption of keys", key => key["alg"] = "RSA-OAEP", "RSA-OAEP" },
        { "for a curve", key => key["alg"] = "ES256", "ES256" },
        { "for a secret", key => key["alg"] = "HS256", "HS256" },
        { "algorithm is null", key => key["alg"] = null, "alg" },
        { "algorithm is a number", key => key["alg"] = 256, "alg" },
        { "issuer is a number", key => key["issuer"] = 1, "issuer" },
        { "issuer is null", key => key["issuer"] = null, "issuer" },
        { "the exponent 1", key => key["e"] = "AQ", "exponent" },
        { "an even exponent", key => key["e"] = "Ag", "exponent" },
        { "modulus with an unused bit", key => key["n"] = "X0", "malformed" },
        { "exponent with padding", key => key["e"] = "AQAB====", "malformed" },
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
        { "two keys with one kid, one of which names its algorithm", i =>
            {
                i.Publish("key-1", FakeIssuer.SecondKey);
                i.PublishedKeys[1]["alg"] = "RS256";
            }, "two keys" },
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
    public async Task Keys_that_say_that_they_verify_are_used()
    {
        (_issuer.PublishedKeys[0]["alg"], _issuer.PublishedKeys[0]["key_ops"]) = ("RS256", new JsonArray("verify"));

        (await _issuer.Validator().ValidateAsync(_issuer.Token(), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    [Theory]
    [InlineData("use")]
    [InlineData("key_ops")]
    [InlineData("alg")]
    [InlineData("same")]
    public async Task A_key_that_never_verifies_does_not_hide_another_of_the_same_kid(string difference)
    {
        var key = _issuer.PublishedKeys[0];
        var other = key.DeepClone().AsObject();
        if (difference != "same")
            Replace(other, FakeIssuer.SecondKey);
        if (difference == "use")
            other["use"] = "enc";
        if (difference == "key_ops")
            other["key_ops"] = new JsonArray("encrypt");
        if (difference == "alg")
            (key["alg"], other["alg"]) = ("RS256", "PS256");
        _issuer.PublishedKeys.Insert(0, other);

        (await _issuer.Validator().ValidateAsync(_issuer.Token(), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
        // The other key has the same kid and must not verify a token.
        _issuer.Keys["key-1"] = FakeIssuer.SecondKey;
        (await RefusedAsync(_issuer.Validator(), _issuer.Token())).EventId.ShouldBe(1012);
    }

    [Fact]
    public async Task A_curve_and_RSA_may_share_a_kid()
    {
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _issuer.Publish("key-1", curve);

        (await _issuer.Validator().ValidateAsync(_issuer.Token(algorithm: "ES256"), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
        _issuer.Keys["key-1"] = FakeIssuer.FirstKey;
        (await _issuer.Validator().ValidateAsync(_issuer.Token(), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    [Theory]
    [InlineData("P-256", "ES256", true)]
    [InlineData("P-384", "ES384", true)]
    [InlineData("P-521", "ES512", true)]
    [InlineData("P-256", "ES384", false)]
    [InlineData("P-384", "ES256", false)]
    [InlineData("P-521", "ES256", false)]
    [InlineData("P-256", "RS256", false)]
    public async Task An_algorithm_is_verified_on_its_curve_only(string curve, string algorithm, bool isAccepted)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve.Replace("P-", "nistP", StringComparison.Ordinal)));
        _issuer.Publish("curve", key);
        var signed = _issuer.Token("curve", algorithm: curve switch { "P-256" => "ES256", "P-384" => "ES384", _ => "ES512" }).Split('.');
        var header = FakeIssuer.Header("curve");
        header["alg"] = algorithm;
        var token = isAccepted ? string.Join('.', signed) : $"{FakeIssuer.Encode(header.ToJsonString())}.{signed[1]}.{signed[2]}";

        if (isAccepted)
            (await _issuer.Validator().ValidateAsync(token, Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
        else
            (await RefusedAsync(_issuer.Validator(), token)).EventId.ShouldBe(1011);
    }

    [Fact]
    public async Task A_point_that_is_not_on_its_curve_verifies_nothing()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _issuer.Publish("curve", key);
        _issuer.PublishedKeys[1]["x"] = _issuer.PublishedKeys[1]["y"]!.DeepClone();

        (await RefusedAsync(_issuer.Validator(), _issuer.Token("curve", algorithm: "ES256"))).EventId.ShouldBe(1012);
    }

    [Theory]
    [InlineData("https://login.example/{tenantid}/v2.0")]
    [InlineData("https://login.example/tenant/v2.0")]
    public async Task A_key_of_the_tokens_issuer_is_used(string issuer)
    {
        _issuer.PublishedKeys[0]["issuer"] = issuer;
        var validator = _issuer.Validator(o => (o.Authority, o.Issuer) = issuer.Contains('{', StringComparison.Ordinal)
            ? (FakeIssuer.Authority, $"https://login.example/{FakeIssuer.Tenant}/v2.0") : (FakeIssuer.Authority, null));
        var pinned = issuer.Replace("{tenantid}", FakeIssuer.Tenant, StringComparison.Ordinal);
        _issuer.Discovery["issuer"] = pinned;

        (await validator.ValidateAsync(_issuer.Token(issuer: pinned), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    [Theory]
    [InlineData("https://login.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")]
    [InlineData("https://login.example/{tenantid}/v2.0")]
    [InlineData("https://login.example/tenant/v2.0/")]
    [InlineData("https://LOGIN.example/tenant/v2.0")]
    [InlineData("{tenantid}")]
    [InlineData("")]
    public async Task A_key_of_another_issuer_is_refused_although_it_is_published(string issuer)
    {
        _issuer.PublishedKeys[0]["issuer"] = issuer;

        var error = await RefusedAsync(_issuer.Validator(), _issuer.Token());

        error.EventId.ShouldBe(1013);
        error.Cause.ShouldContain($"\"{issuer}\"");
        error.Cause.ShouldContain($"\"{FakeIssuer.Authority}\"");
    }

    [Fact]
    public async Task The_template_of_a_keys_issuer_is_not_filled_without_a_tenant()
    {
        _issuer.PublishedKeys[0]["issuer"] = "https://login.example/{tenantid}/v2.0";
        var payload = _issuer.Payload();
        payload.Remove("tid");

        (await RefusedAsync(_issuer.Validator(o => o.TenantId = null), _issuer.Sign(FakeIssuer.Header(), payload))).EventId.ShouldBe(1013);
    }

    [Fact]
    public async Task A_key_of_the_documents_issuer_signs_access_tokens_of_the_second_issuer()
    {
        _issuer.Discovery["access_token_issuer"] = AccessTokenIssuer;
        _issuer.PublishedKeys[0]["issuer"] = FakeIssuer.Authority;

        (await _issuer.Validator().ValidateAsync(_issuer.Token(issuer: AccessTokenIssuer), Cancel)).FindFirstValue("iss")
            .ShouldBe(AccessTokenIssuer);
    }

    [Fact]
    public async Task The_issuer_of_access_tokens_in_the_document_of_AD_FS_is_accepted_for_access_tokens_only()
    {
        _issuer.Discovery["access_token_issuer"] = AccessTokenIssuer;
        var validator = _issuer.Validator();
        var payload = _issuer.IdPayload();
        payload["iss"] = AccessTokenIssuer;

        (await validator.ValidateAsync(_issuer.Token(issuer: AccessTokenIssuer), Cancel)).FindFirstValue("iss").ShouldBe(AccessTokenIssuer);
        (await validator.ValidateAsync(_issuer.Token(), Cancel)).FindFirstValue("iss").ShouldBe(FakeIssuer.Authority);
        var other = await RefusedAsync(validator, _issuer.Token(issuer: "http://adfs.evil.example/adfs/services/trust"));
        (other.EventId, other.Cause.Contains(AccessTokenIssuer, StringComparison.Ordinal)).ShouldBe((1022, true));
        (await Should.ThrowAsync<KcdException>(() => validator.ValidateAsync(
            _issuer.Sign(FakeIssuer.Header(), payload), TokenKind.IdToken, "n-1", Cancel).AsTask())).EventId.ShouldBe(1022);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("[\"http://adfs.example/adfs/services/trust\"]")]
    [InlineData("\"http://adfs.example/{tenantid}\"")]
    public async Task A_second_issuer_that_is_no_name_is_not_accepted(string value)
    {
        _issuer.Discovery["access_token_issuer"] = JsonNode.Parse(value);

        (await RefusedAsync(_issuer.Validator(), _issuer.Token(issuer: AccessTokenIssuer))).EventId.ShouldBe(1022);
        (await RefusedAsync(_issuer.Validator(), _issuer.Token(issuer: ""))).EventId.ShouldBe(1022);
    }

    [Fact]
    public async Task A_second_issuer_in_a_document_of_Entra_is_not_accepted()
    {
        const string authority = $"https://login.microsoftonline.com/{FakeIssuer.Tenant}/v2.0";
        (_issuer.Discovery["issuer"], _issuer.Discovery["access_token_issuer"]) = (authority, AccessTokenIssuer);
        _issuer.Instead = request =>
            request.RequestUri!.Host == "login.microsoftonline.com" ? FakeIssuer.Answer(_issuer.Discovery.ToJsonString()) : null;
        var validator = _issuer.Validator(o => o.Authority = authority);

        (await validator.ValidateAsync(_issuer.Token(issuer: authority), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
        (await RefusedAsync(validator, _issuer.Token(issuer: AccessTokenIssuer))).EventId.ShouldBe(1022);
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

    private const string AccessTokenIssuer = "http://adfs.example/adfs/services/trust";

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
