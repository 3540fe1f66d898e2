using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Tests.TicketCache;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>Cached tickets after a change at the KDC, the directory or the service.</summary>
public sealed class StaleTicketTests : IAsyncDisposable
{
    private static readonly ServicePrincipalName Web = ServicePrincipalName.Parse("HTTP/web");
    private static readonly ServicePrincipalName Files = ServicePrincipalName.Parse("HTTP/files");
    private static readonly KerberosPrincipal Ada = KerberosPrincipal.Principal("ada", "CONTOSO.TEST");
    private static readonly KerberosPrincipal Ben = KerberosPrincipal.Principal("ben", "CONTOSO.TEST");

    private readonly ManualClock _time = new();
    private readonly TestRealm _realm;
    private readonly S4UClient _client;

    public StaleTicketTests()
    {
        _realm = TestRealm.Start(timeProvider: _time).User("ada", sid: "S-1-5-21-1-2-3-1103").User("ben").Service("HTTP/web")
            .Service("HTTP/files")
            .Account("gw", mayDelegateTo: ["HTTP/web", "HTTP/files"]);
        _client = new S4UClient(new S4UClientOptions
        {
            Realm = _realm.Name,
            Account = _realm.CreateServiceAccount("gw"),
            Kdcs = { [_realm.Name] = [_realm.Endpoint] },
            TimeProvider = _time,
        });
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _realm.DisposeAsync();
    }

    /// <summary>MIT answers so after its krbtgt key was replaced without keeping the old one.</summary>
    [Fact]
    public async Task A_generic_error_for_a_cached_TGT_leads_to_one_new_log_on()
    {
        await _client.LogOnAsync(Stop);
        _realm.Fail(KdcFault.Error(KerberosErrorCode.Generic), KerberosExchange.S4U2Self);
        await GetAsync(Ada, Web);
        _realm.Transcript.ShouldBe(
            ["AS gw ok", "SELF ada>gw KRB_ERR_GENERIC [error 60]", "AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/web ok"]);
    }

    [Fact]
    public async Task A_generic_error_for_cached_evidence_and_a_cached_TGT_leads_to_one_new_log_on()
    {
        await GetAsync(Ada, Web);
        _realm.ClearTranscript();
        _realm.Fail(KdcFault.Error(KerberosErrorCode.Generic), KerberosExchange.S4U2Proxy);
        _realm.Fail(KdcFault.Error(KerberosErrorCode.Generic), KerberosExchange.S4U2Self);
        await GetAsync(Ada, Files);
        _realm.Transcript.Count(line => line.StartsWith("AS ", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_generic_error_for_a_new_TGT_leads_to_no_further_log_on()
    {
        _realm.Fail(KdcFault.Error(KerberosErrorCode.Generic), KerberosExchange.S4U2Self);
        (await RefusedAsync(Ada, Web)).Code.ShouldBe(KerberosErrorCode.Generic);
        _realm.Transcript.ShouldBe(["AS gw ok", "SELF ada>gw KRB_ERR_GENERIC [error 60]"]);
    }

    [Fact]
    public async Task Generic_errors_lead_to_at_most_one_log_on_a_minute()
    {
        await _client.LogOnAsync(Stop);
        _realm.ClearTranscript();
        _realm.Fail(KdcFault.Error(KerberosErrorCode.Generic), KerberosExchange.S4U2Self, times: int.MaxValue);
        await RefusedAsync(Ada, Web);
        await RefusedAsync(Ben, Web);
        _realm.Transcript.Count(line => line.StartsWith("AS ", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task The_old_TGT_stays_in_use_while_a_new_log_on_fails()
    {
        await _client.LogOnAsync(Stop);
        _realm.ClearTranscript();
        _realm.Fail(KdcFault.Error(KerberosErrorCode.Generic), KerberosExchange.S4U2Self);
        _realm.Fail(KdcFault.Error(KerberosErrorCode.Generic), KerberosExchange.LogOn, times: int.MaxValue);
        await RefusedAsync(Ada, Web);
        await GetAsync(Ben, Web);
        _realm.Transcript.ShouldContain("SELF ben>gw ok");
        _realm.Transcript.ShouldNotContain("AS gw ok");
    }

    [Fact]
    public async Task A_disabled_user_gets_no_ticket_to_a_further_service_after_the_age_of_the_evidence()
    {
        await GetAsync(Ada, Web);
        _realm.Disable("ada");
        _time.Advance(TimeSpan.FromMinutes(61));
        (await RefusedAsync(Ada, Files)).Code.ShouldBe(KerberosErrorCode.ClientRevoked);
    }

    [Fact]
    public async Task A_disabled_user_gets_no_cached_ticket_after_the_age_of_the_ticket()
    {
        await GetAsync(Ada, Web);
        _realm.Disable("ada");
        _time.Advance(TimeSpan.FromMinutes(61));
        (await RefusedAsync(Ada, Web)).Code.ShouldBe(KerberosErrorCode.ClientRevoked);
    }

    [Fact]
    public async Task A_user_who_was_deleted_and_created_again_has_the_new_SID_after_the_age_of_the_evidence()
    {
        (await GetAsync(Ada, Web)).SecurityIdentifier.ShouldBe("S-1-5-21-1-2-3-1103");
        _realm.Remove("ada").User("ada", sid: "S-1-5-21-1-2-3-2222");
        _time.Advance(TimeSpan.FromMinutes(61));
        (await GetAsync(Ada, Web)).SecurityIdentifier.ShouldBe("S-1-5-21-1-2-3-2222");
    }

    [Fact]
    public async Task A_refused_ticket_is_replaced_once_a_minute()
    {
        var first = await GetAsync(Ada, Web);
        _realm.ClearTranscript();
        var second = await _client.ReplaceTicketAsync(first, Stop);
        second.ShouldNotBeNull().ShouldNotBe(first);
        (await GetAsync(Ada, Web)).ShouldBe(second);
        (await _client.ReplaceTicketAsync(second, Stop)).ShouldBeNull();
        _realm.Transcript.ShouldBe(["PROXY ada>HTTP/web ok"]);
    }

    [Fact]
    public async Task A_ticket_that_is_no_longer_the_cached_one_is_replaced_by_that_without_an_exchange()
    {
        var first = await GetAsync(Ada, Web);
        var second = await _client.ReplaceTicketAsync(first, Stop);
        _realm.ClearTranscript();
        (await _client.ReplaceTicketAsync(first, Stop)).ShouldBe(second);
        _realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task Replacements_are_limited_per_user_and_service()
    {
        var tickets = new[] { await GetAsync(Ada, Web), await GetAsync(Ada, Files), await GetAsync(Ben, Web) };
        foreach (var ticket in tickets)
            (await _client.ReplaceTicketAsync(ticket, Stop)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_refused_ticket_stays_in_the_cache_when_no_KDC_gives_another()
    {
        var first = await GetAsync(Ada, Web);
        _realm.Fail(KdcFault.Close, times: int.MaxValue);
        await Should.ThrowAsync<KerberosException>(async () => await _client.ReplaceTicketAsync(first, Stop));
        (await GetAsync(Ada, Web)).ShouldBe(first);
    }

    [Fact]
    public async Task A_ticket_of_another_client_is_not_replaced()
    {
        await using var other = _realm.CreateClient("gw");
        var ticket = await GetAsync(Ada, Web);
        await Should.ThrowAsync<ArgumentException>(async () => await other.ReplaceTicketAsync(ticket, Stop));
    }

    [Fact]
    public async Task A_ticket_says_whether_headers_can_be_created_from_it()
    {
        var ticket = await GetAsync(Ada, Web);
        ticket.IsUsable.ShouldBeTrue();
        _client.Purge(Ada);
        ticket.IsUsable.ShouldBeFalse();
        var next = await GetAsync(Ada, Web);
        _time.Advance(TimeSpan.FromHours(10));
        next.IsUsable.ShouldBeFalse();
    }

    /// <summary>Heimdal verifies the signature in evidence with the newest key of the realm only.</summary>
    [Theory]
    [InlineData(KdcSoftware.Heimdal, KerberosExchange.S4U2Proxy, true)]
    [InlineData(KdcSoftware.Heimdal, KerberosExchange.S4U2Self, false)]
    [InlineData(KdcSoftware.MitKrb5, KerberosExchange.S4U2Proxy, false)]
    [InlineData(KdcSoftware.ActiveDirectory, KerberosExchange.S4U2Proxy, false)]
    [InlineData(KdcSoftware.Unknown, KerberosExchange.S4U2Proxy, false)]
    public void A_bad_option_may_be_about_an_old_signature_on_Heimdal_only(KdcSoftware software, KerberosExchange exchange, bool isStale)
    {
        var error = new KerberosException(new KerberosFailure
        {
            Code = KerberosErrorCode.BadOption, Exchange = exchange, KdcSoftware = software, Realm = "CONTOSO.TEST",
        });
        StaleTickets.EvidenceIsIndicatedBy(error).ShouldBe(isStale);
        StaleTickets.IndicatesStaleTgt(error, "CONTOSO.TEST").ShouldBe(isStale);
    }

    private async Task<ServiceTicket> GetAsync(KerberosPrincipal user, ServicePrincipalName service) =>
        await _client.GetTicketAsync(user, service, Stop);

    private Task<KerberosException> RefusedAsync(KerberosPrincipal user, ServicePrincipalName service) =>
        Should.ThrowAsync<KerberosException>(() => GetAsync(user, service));
}
