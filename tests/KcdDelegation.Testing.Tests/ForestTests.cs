namespace KcdDelegation.Testing.Tests;

/// <summary>Two domains of a forest, with an account of the same name in each.</summary>
public sealed class ForestTests : IAsyncDisposable
{
    private readonly TestRealm _europe = TestRealm.Start("EU.CONTOSO.TEST").User("joe");
    private readonly TestRealm _realm;

    public ForestTests() => _realm = TestRealm.Start("CONTOSO.TEST").User("joe").Account("gw$", mayDelegateTo: ["HTTP/erp"])
        .Service("HTTP/erp").Trusts(_europe);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        await _europe.DisposeAsync();
    }

    [Fact]
    public async Task A_user_name_is_not_taken_for_the_account_of_that_name_in_the_account_s_realm()
    {
        var error = await Should.ThrowAsync<KcdException>(() => DelegateAsync(
            LoginIdentity.UserPrincipalUsername, "joe@contoso.test", options => List(options, "EU.CONTOSO.TEST", "eu.contoso.test")));

        (error.EventId, error.Kind).ShouldBe((1043, KcdErrorKind.UserNotPermitted));
        _realm.Transcript.ShouldBeEmpty();
        _europe.Transcript.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("EU.CONTOSO.TEST")]
    [InlineData("CONTOSO.TEST")]
    public async Task A_listed_suffix_leads_to_the_account_of_its_realm(string realm) =>
        (await DelegateAsync(
            LoginIdentity.UserPrincipalUsername, "joe@contoso.test", options => List(options, realm, "contoso.test")))
            .ShouldBe($"joe@{realm}");

    [Theory]
    [InlineData("EU.CONTOSO.TEST")]
    [InlineData("CONTOSO.TEST")]
    public async Task A_SAM_name_is_delegated_as_the_account_of_UserRealm(string realm) =>
        (await DelegateAsync(
            LoginIdentity.OnPremisesSamAccountName, "joe@contoso.test", options => options.Applications["erp"].UserRealm = realm))
            .ShouldBe($"joe@{realm}");

    [Theory]
    [InlineData("eu.contoso.test", "EU.CONTOSO.TEST")]
    [InlineData("contoso.test", "CONTOSO.TEST")]
    public async Task A_claim_with_the_domain_takes_precedence_over_UserRealm(string domain, string realm) =>
        (await DelegateAsync(
            LoginIdentity.OnPremisesSamAccountName, "joe@contoso.test", options => options.Applications["erp"].UserRealm = "CONTOSO.TEST",
            domain)).ShouldBe($"joe@{realm}");

    [Fact]
    public async Task A_SAM_name_without_a_realm_is_refused()
    {
        var error = await Should.ThrowAsync<KcdException>(() => DelegateAsync(
            LoginIdentity.OnPremisesSamAccountName, "joe@contoso.test", options => List(options, "EU.CONTOSO.TEST", "eu.contoso.test")));

        error.EventId.ShouldBe(1046);
        _realm.Transcript.ShouldBeEmpty();
    }

    private static void List(KcdOptions options, string realm, string suffix)
    {
        if (!options.Realms.TryGetValue(realm, out var settings))
            options.Realms[realm] = settings = new RealmOptions();
        settings.UserPrincipalSuffixes.Add(suffix);
    }

    /// <summary>Validates a token and returns the user of the ticket that the caller is delegated with.</summary>
    private async Task<string> DelegateAsync(
        LoginIdentity identity, string userPrincipalName, Action<KcdOptions> configure, string? domain = null)
    {
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        await using var backend = await TestBackend.StartAsync(_realm, "HTTP/erp", cancellationToken: Stop);
        var options = _realm.CreateOptions("gw$", issuer);
        options.Applications["erp"] = backend.CreateApplication(identity);
        configure(options);
        await using var client = DelegationClient.Create(options);
        var caller = await client.ValidateAccessTokenAsync(
            issuer.CreateToken(userPrincipalName, new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["onprem_sam_account_name"] = "joe", ["dnsdomainname"] = domain,
            }), Stop);
        using var http = new HttpClient(new KcdHandler(client, "erp"));
        using var request = new HttpRequestMessage(HttpMethod.Get, backend.Url);
        request.SetCaller(caller);
        using var response = await http.SendAsync(request, Stop);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Stop);
    }
}
