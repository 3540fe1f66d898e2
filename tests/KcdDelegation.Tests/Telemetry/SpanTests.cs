using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Claims;
using KcdDelegation.Testing;
using KcdDelegation.Tests.Http;

namespace KcdDelegation.Tests.Telemetry;

/// <summary>Tests of the spans in the caller's trace, and of the metrics of the library.</summary>
public sealed class SpanTests : IAsyncDisposable
{
    private readonly TestRealm _realm = TestRealm.Start()
        .User("ada").User("eve", disabled: true)
        .Account("gw$", mayDelegateTo: ["HTTP/erp"], password: "Passw0rd!").Service("HTTP/erp").Service("HTTP/closed");

    private readonly string _passwordFile = Path.Combine(Path.GetTempPath(), $"kcd-{Guid.NewGuid():N}");
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ActivityListener _listener;
    private readonly Activity _request;

    public SpanTests()
    {
        File.WriteAllText(_passwordFile, "Passw0rd!");
        _request = new Activity("request");
        var trace = ActivityTraceId.CreateRandom();
        _request.SetParentId(trace, ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is KcdTelemetry.Name or KcdTelemetry.KerberosName,
            // Other tests create spans at the same time.
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Parent.TraceId == trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = _spans.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
        _request.Start();
    }

    public async ValueTask DisposeAsync()
    {
        _request.Dispose();
        _listener.Dispose();
        await _realm.DisposeAsync();
        File.Delete(_passwordFile);
    }

    [Fact]
    public async Task The_steps_of_a_first_request_are_children_of_the_caller_and_the_exchanges_are_children_of_the_ticket()
    {
        await using var client = DelegationClient.Create(Options());

        (await client.GetCredentialAsync("erp", Caller("ada"), Cancel)).CreateAuthorization(TokenFormat.Kerberos);

        Names().ShouldBe(
            ["kcd.mapping", "kcd.exchange.tgt", "kcd.exchange.evidence", "kcd.exchange.service", "kcd.ticket", "kcd.header"],
            ignoreOrder: true);
        foreach (var step in (string[])["kcd.mapping", "kcd.ticket", "kcd.header"])
            Span(step).ParentSpanId.ShouldBe(_request.SpanId);
        Span("kcd.exchange.service").ParentSpanId.ShouldBe(Span("kcd.ticket").SpanId);
        Span("kcd.exchange.evidence").ParentSpanId.ShouldBe(Span("kcd.exchange.service").SpanId);
        Span("kcd.exchange.tgt").ParentSpanId.ShouldBe(Span("kcd.exchange.evidence").SpanId);
    }

    [Fact]
    public async Task A_cached_ticket_needs_no_exchange()
    {
        await using var client = DelegationClient.Create(Options());
        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        _spans.Clear();

        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);

        Names().ShouldBe(["kcd.mapping", "kcd.ticket"]);
    }

    [Fact]
    public async Task Spans_have_stage_application_realm_service_and_outcome_and_no_user_name()
    {
        await using var client = DelegationClient.Create(Options());

        (await client.GetCredentialAsync("erp", Caller("ada"), Cancel)).CreateAuthorization(TokenFormat.Kerberos);

        Tags("kcd.mapping").ShouldBe(
            $"kcd.application=erp kcd.outcome=ok kcd.realm={_realm.Name} kcd.service=HTTP/erp kcd.stage=identity");
        Tags("kcd.ticket").ShouldBe(
            $"kcd.application=erp kcd.outcome=ok kcd.realm={_realm.Name} kcd.service=HTTP/erp kcd.stage=delegation");
        Tags("kcd.header").ShouldBe($"kcd.outcome=ok kcd.realm={_realm.Name} kcd.service=HTTP/erp kcd.stage=delegation");
        _spans.SelectMany(span => span.TagObjects)
            .ShouldAllBe(tag => !$"{tag.Value}".Contains("ada", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_refused_user_is_the_outcome_of_the_ticket()
    {
        await using var client = DelegationClient.Create(Options());

        await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("erp", Caller("eve"), Cancel));

        var span = Span("kcd.ticket");
        (span.Status, span.StatusDescription).ShouldBe((ActivityStatusCode.Error, null));
        (span.GetTagItem("kcd.outcome"), span.GetTagItem("error.type")).ShouldBe(("user_not_permitted", "13019"));
        Span("kcd.exchange.evidence").GetTagItem("kcd.outcome").ShouldBe("refused");
        Span("kcd.exchange.evidence").GetTagItem("error.type").ShouldBe("KDC_ERR_CLIENT_REVOKED");
    }

    [Fact]
    public async Task A_refused_mapping_and_a_refused_token_are_outcomes_of_their_steps()
    {
        await using var client = DelegationClient.Create(Options());

        await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("erp", Caller("krbtgt"), Cancel));
        await Should.ThrowAsync<KcdException>(async () => await client.ValidateTokenAsync("e30.e30.e30", Cancel));

        Names().ShouldBe(["kcd.mapping", "kcd.token"]);
        Tags("kcd.mapping").ShouldContain("error.type=1044 kcd.application=erp kcd.outcome=user_not_permitted");
        Tags("kcd.token").ShouldBe("error.type=1030 kcd.outcome=configuration kcd.stage=identity");
    }

    [Fact]
    public async Task A_purged_ticket_is_the_outcome_of_the_header()
    {
        await using var client = DelegationClient.Create(Options());
        var credential = await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        await client.PurgeAsync(Caller("ada"), Cancel);

        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));

        Span("kcd.header").GetTagItem("kcd.outcome").ShouldBe("unavailable");
    }

    [Fact]
    public async Task A_request_through_the_handler_has_a_span_for_its_header()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var http = new FakeDelegation(backend.Url).CreateClient();

        using var response = await http.SendAsync(FakeDelegation.As("ada"), Cancel);

        Span("kcd.header").GetTagItem("kcd.outcome").ShouldBe("ok");
    }

    [Fact]
    public async Task Refusals_are_counted_by_event_and_headers_by_size()
    {
        var measured = new ConcurrentQueue<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == KcdTelemetry.Name)
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => measured.Enqueue(
            $"{instrument.Name} {value} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}"));
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => measured.Enqueue($"{instrument.Name} {value}"));
        listener.Start();
        var options = Options();
        options.Applications["counted"] = options.Applications["closed"];
        options.Applications.Remove("closed");
        await using var client = DelegationClient.Create(options);

        var value = (await client.GetCredentialAsync("erp", Caller("ada"), Cancel)).CreateAuthorization(TokenFormat.Kerberos);
        await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("counted", Caller("ada"), Cancel));

        measured.ShouldContain("kcd.refusals 1 kcd.event=13019 kcd.outcome=configuration kcd.application=counted");
        measured.ShouldContain($"kcd.header.size {value.ToString().Length}");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private List<string> Names() => [.. _spans.Select(span => span.OperationName)];

    private Activity Span(string name) => _spans.Single(span => span.OperationName == name);

    private string Tags(string name) => string.Join(
        ' ', Span(name).TagObjects.Select(tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal));

    private KcdOptions Options()
    {
        var options = new KcdOptions
        {
            Realm = _realm.Name,
            ServiceAccount = { Name = "gw$", PasswordFile = _passwordFile },
            Kdcs = { _realm.Endpoint.ToString() },
        };
        foreach (var name in new[] { "erp", "closed" })
        {
            options.Applications[name] = new DelegatedApplication
            {
                InternalUrl = new Uri($"https://{name}.contoso.test/"),
                ServicePrincipalName = $"HTTP/{name}",
                LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
            };
        }
        return options;
    }

    private static ClaimsPrincipal Caller(string name) =>
        new(new ClaimsIdentity([new Claim("onprem_sam_account_name", name)], "Bearer"));
}
