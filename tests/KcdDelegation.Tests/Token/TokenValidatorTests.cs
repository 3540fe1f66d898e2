using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KcdDelegation.Token;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Tests.Token;

public sealed class TokenValidatorTests : IDisposable
{
    private readonly FakeIssuer _issuer = new();

    public void Dispose() => _issuer.Dispose();

    [Theory]
    [InlineData(SecurityAlgorithms.RsaSha256)]
    [InlineData(SecurityAlgorithms.RsaSha512)]
    [InlineData(SecurityAlgorithms.RsaSsaPssSha256)]
    public async Task A_valid_token_becomes_an_authenticated_principal_with_raw_claim_names(string algorithm)
    {
        var caller = await ValidateAsync(_issuer.Token(algorithm: algorithm));

        caller.Identity.ShouldNotBeNull().IsAuthenticated.ShouldBeTrue();
        caller.FindFirstValue("upn").ShouldBe("ada@contoso.com");
        caller.FindFirstValue("tid").ShouldBe(FakeIssuer.Tenant);
        caller.FindAll(ClaimTypes.Upn).ShouldBeEmpty();
    }

    [Fact]
    public async Task Elliptic_curves_are_accepted()
    {
        _issuer.Publish("curve", ECDsa.Create(ECCurve.NamedCurves.nistP256));

        (await ValidateAsync(_issuer.Token("curve", algorithm: SecurityAlgorithms.EcdsaSha256))).FindFirstValue("oid").ShouldBe("ada-1");
    }

    [Fact]
    public async Task A_token_from_an_issuer_without_tenants_is_accepted()
    {
        var payload = _issuer.Payload();
        payload.Remove("tid");

        (await _issuer.Validator(o => o.TenantId = null).ValidateAsync(_issuer.Sign(FakeIssuer.Header(), payload), Cancel))
            .FindFirstValue("upn").ShouldBe("ada@contoso.com");
    }

    [Theory]
    [InlineData("JWT")]
    [InlineData("at+jwt")]
    [InlineData("application/at+JWT")]
    [InlineData(null)]
    public async Task Types_of_access_tokens_are_accepted(string? type)
    {
        var header = FakeIssuer.Header();
        header.Remove("typ");
        if (type is not null)
            header["typ"] = type;

        (await ValidateAsync(_issuer.Sign(header, _issuer.Payload()))).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    public static TheoryData<string, int, Action<JsonObject, JsonObject>> Faults => new()
    {
        { "alg none", 1007, (h, _) => h["alg"] = "none" },
        { "alg None", 1007, (h, _) => h["alg"] = "None" },
        { "HMAC", 1007, (h, _) => h["alg"] = "HS256" },
        { "no alg", 1007, (h, _) => h.Remove("alg") },
        { "alg is a number", 1002, (h, _) => h["alg"] = 1 },
        { "crit", 1006, (h, _) => h["crit"] = new JsonArray("b64") },
        { "logout token", 1005, (h, _) => h["typ"] = "logout+jwt" },
        { "no kid", 1002, (h, _) => h.Remove("kid") },
        { "kid is a number", 1002, (h, _) => h["kid"] = 1 },
        { "unknown kid", 1010, (h, _) => h["kid"] = "key-9" },
        { "kid in another case", 1010, (h, _) => h["kid"] = "KEY-1" },
        { "another algorithm than signed with", 1012, (h, _) => h["alg"] = "RS384" },
        { "curve algorithm with an RSA key", 1011, (h, _) => h["alg"] = "ES256" },
        { "expired", 1020, (_, p) => p["exp"] = Seconds(-3) },
        { "no exp", 1002, (_, p) => p.Remove("exp") },
        { "exp is text", 1002, (_, p) => p["exp"] = p["exp"]!.ToString() },
        { "exp is a fraction in the past", 1020, (_, p) => p["exp"] = Seconds(-2) - 0.5 },
        { "exp is negative", 1002, (_, p) => p["exp"] = -1 },
        { "exp is a negative fraction", 1002, (_, p) => p["exp"] = -0.5 },
        { "exp is a name", 1002, (_, p) => p["exp"] = "NaN" },
        { "exp is a truth value", 1002, (_, p) => p["exp"] = true },
        { "exp is an array", 1002, (_, p) => p["exp"] = new JsonArray(Seconds(3)) },
        { "not yet valid", 1021, (_, p) => p["nbf"] = Seconds(3) },
        { "nbf is far ahead", 1021, (_, p) => p["nbf"] = 1e300 },
        { "nbf is a fraction ahead", 1021, (_, p) => p["nbf"] = Seconds(2) + 0.5 },
        { "nbf is text", 1002, (_, p) => p["nbf"] = "0" },
        { "nbf is negative", 1002, (_, p) => p["nbf"] = -1 },
        { "iat is far ahead", 1021, (_, p) => p["iat"] = 99999999999999 },
        { "issued in the future", 1021, (_, p) => p["iat"] = Seconds(3) },
        { "iat is null", 1002, (_, p) => p["iat"] = null },
        { "wrong issuer", 1022, (_, p) => p["iss"] = "https://login.example/other/v2.0" },
        { "issuer with a slash", 1022, (_, p) => p["iss"] = FakeIssuer.Authority + "/" },
        { "no issuer", 1022, (_, p) => p.Remove("iss") },
        { "issuer in another case", 1022, (_, p) => p["iss"] = FakeIssuer.Authority.ToUpperInvariant() },
        { "issuer is a list", 1022, (_, p) => p["iss"] = new JsonArray(FakeIssuer.Authority) },
        { "wrong tenant", 1023, (_, p) => p["tid"] = "99999999-2222-3333-4444-555555555555" },
        { "no tenant", 1023, (_, p) => p.Remove("tid") },
        { "no tenant under its name in tokens", 1023, (_, p) =>
            {
                p.Remove("tid");
                p["http://schemas.microsoft.com/identity/claims/tenantid"] = FakeIssuer.Tenant;
            }
        },
        { "tenant with a blank at the end", 1023, (_, p) => p["tid"] = FakeIssuer.Tenant + " " },
        { "tenant with a blank at the start", 1023, (_, p) => p["tid"] = " " + FakeIssuer.Tenant },
        { "tenant with a line feed", 1023, (_, p) => p["tid"] = FakeIssuer.Tenant + "\n" },
        { "tenant in braces", 1023, (_, p) => p["tid"] = $"{{{FakeIssuer.Tenant}}}" },
        { "tenant without hyphens", 1023, (_, p) => p["tid"] = FakeIssuer.Tenant.Replace("-", "", StringComparison.Ordinal) },
        { "tenant is null", 1023, (_, p) => p["tid"] = null },
        { "tenant is a number", 1023, (_, p) => p["tid"] = 1 },
        { "two tenants", 1041, (_, p) => p["tid"] = new JsonArray(FakeIssuer.Tenant, FakeIssuer.Tenant) },
        { "wrong audience", 1024, (_, p) => p["aud"] = "api://other" },
        { "audience with a slash", 1024, (_, p) => p["aud"] = FakeIssuer.Audience + "/" },
        { "audience in another case", 1024, (_, p) => p["aud"] = "API://gateway" },
        { "no audience", 1024, (_, p) => p.Remove("aud") },
        { "audience is a number", 1024, (_, p) => p["aud"] = 1 },
        { "a number among the audiences", 1024, (_, p) => p["aud"] = new JsonArray(FakeIssuer.Audience, 1) },
        { "guest", 1025, (_, p) => p["acct"] = 1 },
        { "guest of no known status", 1025, (_, p) => p["acct"] = null },
        { "application", 1026, (_, p) => p["idtyp"] = "app" },
        { "no scope", 1029, (_, p) => p.Remove("scp") },
        { "blank scope", 1029, (_, p) => p["scp"] = " " },
        { "scope is a truth value", 1029, (_, p) => p["scp"] = true },
        { "scope is an empty list", 1029, (_, p) => p["scp"] = new JsonArray() },
        { "scope is null", 1029, (_, p) => p["scp"] = null },
        { "ID token by its hash", 1008, (_, p) => p["at_hash"] = "x" },
        { "ID token by its hash of the code", 1008, (_, p) => p["c_hash"] = "x" },
        { "ID token by its use", 1008, (_, p) => p["token_use"] = "id" },
        { "ID token by its type", 1008, (_, p) => p["typ"] = "ID" },
    };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public async Task A_token_with_one_fault_is_refused_for_it(string fault, int eventId, Action<JsonObject, JsonObject> make)
    {
        var (header, payload) = (FakeIssuer.Header(), _issuer.Payload());
        make(header, payload);
        var token = _issuer.Sign(header, payload);

        var error = await RefusedAsync(token);

        error.EventId.ShouldBe(eventId, fault);
        error.ToString().ShouldNotContain(token.Split('.')[1]);
        error.ToString().ShouldNotContain(token.Split('.')[2]);
    }

    [Fact]
    public async Task Guests_and_applications_pass_where_they_are_allowed()
    {
        var payload = _issuer.Payload();
        (payload["acct"], payload["idtyp"]) = (1, "app");

        var caller = await _issuer.Validator(o => (o.AllowGuests, o.AllowApplicationTokens) = (true, true))
            .ValidateAsync(_issuer.Sign(FakeIssuer.Header(), payload), Cancel);

        caller.FindFirstValue("idtyp").ShouldBe("app");
    }

    [Theory]
    [InlineData("""{"alg":"RS256","kid":"key-1","kid":"key-1"}""", null)]
    [InlineData(null, """{"upn":"ada","upn":"eve","exp":9999999999}""")]
    [InlineData(null, """{"upn":"ada","\u0075pn":"eve","exp":9999999999}""")]
    [InlineData(null, """{"inner":{"a":1,"a":2},"exp":9999999999}""")]
    public async Task Duplicate_members_are_refused(string? header, string? payload)
    {
        var token = _issuer.Sign(header ?? FakeIssuer.Header().ToJsonString(), payload ?? _issuer.Payload().ToJsonString());

        (await RefusedAsync(token)).EventId.ShouldBe(1003);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a.b")]
    [InlineData("..")]
    [InlineData("a.b.c.d")]
    [InlineData("X0..")]
    [InlineData("e30.X0.e30")]
    [InlineData("Bearer e30.e30.e30")]
    [InlineData("e30=.e30.e30")]
    [InlineData("e30.e3 0.e30")]
    [InlineData("e30.e30.")]
    [InlineData("n0..")]
    [InlineData("W10.e30.e30")]
    public async Task Text_that_is_no_token_is_refused_before_keys_are_loaded(string token)
    {
        (await RefusedAsync(token)).EventId.ShouldBeOneOf(1002, 1007);
        _issuer.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_part_with_an_unused_bit_set_is_refused_before_keys_are_loaded(int part)
    {
        // One byte more than a multiple of three leaves four unused bits in the last character, as in an RSA-2048 signature.
        static string Pad(string json) => json.PadRight(json.Length + ((4 - (json.Length % 3)) % 3));
        var parts = _issuer.Sign(Pad(FakeIssuer.Header().ToJsonString()), Pad(_issuer.Payload().ToJsonString())).Split('.');
        await ValidateAsync(string.Join('.', parts));
        _issuer.Requests.Clear();
        parts[part] = parts[part][..^1] + (char)(parts[part][^1] + 1);

        (await RefusedAsync(string.Join('.', parts))).EventId.ShouldBe(1002);
        _issuer.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Text_after_the_payload_is_refused()
    {
        var error = await RefusedAsync(_issuer.Sign(FakeIssuer.Header().ToJsonString(), _issuer.Payload().ToJsonString() + "{}"));

        error.EventId.ShouldBe(1002);
    }

    [Theory]
    [InlineData("""{"alg":"RS256","kid":"\ud800"}""", null)]
    [InlineData("""{"alg":"\udc00RS256","kid":"key-1"}""", null)]
    [InlineData("""{"alg":"RS256","kid":"key-1","typ":"\ud800\ud800"}""", null)]
    [InlineData("""{"alg":"RS256","kid":"key-1","\ud800":1}""", null)]
    [InlineData("""{"alg":"RS256","kid":"key-1","jwk":{"x":["\ud800"]}}""", null)]
    [InlineData(null, """{"\ud800":1,"exp":9999999999}""")]
    [InlineData(null, """{"\ud800":1,"\ud800":2,"exp":9999999999}""")]
    [InlineData(null, """{"upn":"ada\ud800","exp":9999999999}""")]
    public async Task Escapes_that_encode_no_character_are_refused(string? header, string? payload)
    {
        (await RefusedAsync(
            _issuer.Sign(header ?? FakeIssuer.Header().ToJsonString(), payload ?? _issuer.Payload().ToJsonString()))).EventId.ShouldBe(
            1002);
        _issuer.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("alg")]
    [InlineData("typ")]
    [InlineData("kid")]
    [InlineData("name")]
    public async Task Bytes_that_are_no_UTF8_are_refused(string member)
    {
        var header = FakeIssuer.Header();
        header[member] = "~";
        var bytes = Encoding.UTF8.GetBytes(header.ToJsonString());
        bytes[bytes.IndexOf((byte)'~')] = 0xFF;

        (await RefusedAsync(_issuer.Sign(bytes, Encoding.UTF8.GetBytes(_issuer.Payload().ToJsonString())))).EventId.ShouldBe(1002);
        _issuer.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Any_token_is_either_accepted_or_refused(int seed)
    {
        var random = new Steps((uint)seed);
        var validator = _issuer.Validator();
        var refused = 0;
        for (var i = 0; i < 300; i++)
        {
            var (header, payload) =
                (Encoding.UTF8.GetBytes(FakeIssuer.Header().ToJsonString()), Encoding.UTF8.GetBytes(_issuer.Payload().ToJsonString()));
            if (random.Next(2) == 0)
                header = Mutate(header, random);
            else
                payload = Mutate(payload, random);
            try
            {
                await validator.ValidateAsync(_issuer.Sign(header, payload), Cancel);
            }
            catch (KcdException)
            {
                refused++;
            }
        }

        refused.ShouldBeGreaterThan(100);
    }

    /// <summary>Makes one to three changes, often of kinds that parsers handle wrongly.</summary>
    private static byte[] Mutate(byte[] json, Steps random)
    {
        string[] pieces =
            ["\\ud800", "\\udfff\\ud800", "\\u0000", "\"", "{", "}", "[", "]", ":", ",", "null", "1e999", "-0", "99999999999999999999",
            "\\", "\u00ff", "true"];
        var bytes = json.ToList();
        for (var change = random.Next(3); change >= 0; change--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(7) + 1));
                    bytes.Add((byte)'}');
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
                    break;
                default:
                    var value = bytes.IndexOf((byte)':', at) + 1;
                    bytes.InsertRange(value, Encoding.UTF8.GetBytes(random.Next(2) == 0 ? "[\"\\ud83d\"]," : "{\"a\":null},\"b\":"));
                    break;
            }
        }
        return [.. bytes];
    }

    [Fact]
    public async Task An_encrypted_token_is_recognized() => (await RefusedAsync("e30.e30.e30.e30.e30")).EventId.ShouldBe(1004);

    [Fact]
    public async Task An_oversize_token_is_refused_before_it_is_parsed()
    {
        (await RefusedAsync(new string('a', CompactToken.MaxLength + 1))).EventId.ShouldBe(1001);
        _issuer.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_changed_payload_or_signature_is_refused()
    {
        var parts = _issuer.Token().Split('.');
        var payload = _issuer.Payload();
        payload["upn"] = "eve@contoso.com";

        (await RefusedAsync($"{parts[0]}.{FakeIssuer.Encode(payload.ToJsonString())}.{parts[2]}")).EventId.ShouldBe(1012);
        (await RefusedAsync($"{parts[0]}.{parts[1]}.{FakeIssuer.Encode("no signature")}")).EventId.ShouldBe(1012);
    }

    [Fact]
    public async Task The_signature_is_validated_before_the_claims()
    {
        var payload = _issuer.Payload();
        payload["exp"] = 1;
        var parts = _issuer.Sign(FakeIssuer.Header(), payload).Split('.');

        (await RefusedAsync($"{parts[0]}.{parts[1]}.{FakeIssuer.Encode("no signature")}")).EventId.ShouldBe(1012);
    }

    [Fact]
    public async Task A_token_signed_with_another_key_under_a_known_kid_is_refused()
    {
        _issuer.Keys["key-1"] = FakeIssuer.SecondKey;

        (await RefusedAsync(_issuer.Token())).EventId.ShouldBe(1012);
    }

    [Fact]
    public async Task A_key_carried_in_the_token_is_not_trusted()
    {
        var header = FakeIssuer.Header("evil");
        header["jwk"] = _issuer.PublishedKeys[0].DeepClone();
        header["jku"] = "https://evil.example/keys";

        (await RefusedAsync(_issuer.Sign(header, _issuer.Payload()))).EventId.ShouldBe(1010);
        _issuer.Requests.ShouldNotContain("https://evil.example/keys");
    }

    [Fact]
    public async Task Clocks_may_differ_by_two_minutes()
    {
        var payload = _issuer.Payload();
        (payload["nbf"], payload["iat"], payload["exp"]) = (Seconds(1.9), Seconds(1.9), Seconds(-1.9));

        (await ValidateAsync(_issuer.Sign(FakeIssuer.Header(), payload))).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    [Theory]
    [InlineData("1772370000.5")]
    [InlineData("1.77237e9")]
    [InlineData("99999999999999")]
    [InlineData("253402300799.5")]
    [InlineData("253402300800")]
    [InlineData("9223372036854775808")]
    [InlineData("1e300")]
    [InlineData("1e999")]
    public async Task An_expiry_may_have_a_fraction_or_be_far_ahead(string seconds)
    {
        var payload = _issuer.Payload();
        payload["exp"] = JsonNode.Parse(seconds);

        (await ValidateAsync(_issuer.Sign(FakeIssuer.Header(), payload))).FindFirstValue("exp").ShouldBe(seconds);
    }

    [Fact]
    public async Task A_fraction_of_a_second_counts()
    {
        var payload = _issuer.Payload();
        payload["exp"] = Seconds(-2) + 0.5;
        var token = _issuer.Sign(FakeIssuer.Header(), payload);

        (await ValidateAsync(token)).Identity!.IsAuthenticated.ShouldBeTrue();
        _issuer.Time.Advance(TimeSpan.FromSeconds(0.5));
        (await RefusedAsync(token)).EventId.ShouldBe(1020);
    }

    [Fact]
    public async Task Both_issuers_and_both_audiences_are_quoted()
    {
        var issuer = (await RefusedAsync(_issuer.Token(issuer: "http://adfs.example/adfs/services/trust"))).Cause;
        var audience = (await RefusedAsync(_issuer.Token(audience: "api://other"))).Cause;

        issuer.ShouldContain("\"http://adfs.example/adfs/services/trust\"");
        issuer.ShouldContain($"\"{FakeIssuer.Authority}\"");
        audience.ShouldContain("\"api://other\"");
        audience.ShouldContain($"\"{FakeIssuer.Audience}\"");
    }

    [Fact]
    public async Task Values_that_are_not_text_keep_their_type()
    {
        var payload = _issuer.Payload();
        (payload["upn"], payload["flag"], payload["nothing"], payload["inner"]) = (5, true, null, new JsonObject { ["a"] = 1 });
        payload["groups"] = new JsonArray("a", 5_000_000_000, 1.5, new JsonArray(1));

        var caller = await ValidateAsync(_issuer.Sign(FakeIssuer.Header(), payload));

        caller.FindFirst("upn")!.ValueType.ShouldBe(ClaimValueTypes.Integer32);
        (caller.FindFirst("flag")!.Value, caller.FindFirst("flag")!.ValueType).ShouldBe(("true", ClaimValueTypes.Boolean));
        (caller.FindFirst("nothing")!.Value, caller.FindFirst("nothing")!.ValueType).ShouldBe(("", "JSON_NULL"));
        (caller.FindFirst("inner")!.Value, caller.FindFirst("inner")!.ValueType).ShouldBe(("{\"a\":1}", "JSON"));
        caller.FindAll("groups").Select(group => group.ValueType).ShouldBe(
            [ClaimValueTypes.String, ClaimValueTypes.Integer64, ClaimValueTypes.Double, "JSON_ARRAY"]);
        caller.FindAll("groups").ShouldAllBe(group => group.Issuer == FakeIssuer.Authority);
    }

    [Fact]
    public async Task Untrusted_text_is_truncated_and_made_printable_in_errors()
    {
        var header = FakeIssuer.Header("\r\n\u202e" + new string('k', 5000));

        var error = await RefusedAsync(_issuer.Sign(header, _issuer.Payload()));

        error.Message.Length.ShouldBeLessThan(400);
        error.Message.ShouldContain("<U+000D><U+000A><U+202E>kkk");
        error.InnerException.ShouldBeNull();
    }

    /// <summary>Returns the same numbers in every run (linear congruential generator of Numerical Recipes).</summary>
    private sealed class Steps(uint seed)
    {
        private uint _state = seed;

        public int Next(int below)
        {
            _state = unchecked((_state * 1664525) + 1013904223);
            return (int)((_state >> 8) % (uint)below);
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Returns a NumericDate, in minutes relative to the issuer's clock.</summary>
    private static long Seconds(double minutes) => new ManualTime().GetUtcNow().AddMinutes(minutes).ToUnixTimeSeconds();

    private ValueTask<ClaimsPrincipal> ValidateAsync(string token) => _issuer.Validator().ValidateAsync(token, Cancel);

    private async Task<KcdException> RefusedAsync(string token)
    {
        var error = await Should.ThrowAsync<KcdException>(async () => await ValidateAsync(token));
        error.Stage.ShouldBe(KcdStage.Identity);
        return error;
    }
}
