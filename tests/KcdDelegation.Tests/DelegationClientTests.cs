using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Tests;

public sealed class DelegationClientTests : IAsyncDisposable
{
    private readonly TestRealm _realm = TestRealm.Start()
        .User("ada", userPrincipalName: "ada@corp.example").User("eve", disabled: true)
        .Account("gw$", mayDelegateTo: ["HTTP/erp", "HTTP/crm"], password: "Passw0rd!").Service("HTTP/erp").Service("HTTP/crm")
            .Service("HTTP/closed");

    private readonly LogRecorder _log = new();
    private readonly string _passwordFile = Path.Combine(Path.GetTempPath(), $"kcd-{Guid.NewGuid():N}");

    public DelegationClientTests() => File.WriteAllText(_passwordFile, "Passw0rd!");

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        _log.Dispose();
        File.Delete(_passwordFile);
    }

    [Fact]
    public async Task A_caller_gets_a_ticket_and_headers_in_their_name()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var credential = await client.GetCredentialAsync("erp", Caller("ada"), Cancel);

        credential.Ticket.User.ShouldBe(KerberosPrincipal.Principal("ada", _realm.Name));
        credential.Ticket.Service.ToString().ShouldBe("HTTP/erp");
        var header = credential.CreateAuthorization(TokenFormat.Spnego);
        header.Scheme.ShouldBe("Negotiate");
        NegotiateToken.TryParse(header.Parameter, out var token).ShouldBeTrue();
        token!.Kind.ShouldBe(NegotiateTokenKind.SpnegoKerberos);
        _realm.Transcript.ShouldBe(["AS gw$ ok", "SELF ada>gw$ ok", "PROXY ada>HTTP/erp ok"]);
    }

    [Fact]
    public async Task An_account_with_the_setting_changes_an_old_password_itself()
    {
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            var file = Path.Combine(directory.FullName, "password");
            await File.WriteAllTextAsync(file, "Passw0rd!", Cancel);
            File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-2));
            var options = Options();
            (options.ServiceAccount.PasswordFile, options.ServiceAccount.PasswordRoll) =
                (file, new PasswordRollSettings { Interval = TimeSpan.FromDays(1), Servers = { $"{_realm.PasswordEndpoint}" } });
            await using var client = DelegationClient.Create(options, _log);
            await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
            for (var wait = 0; wait < 100 && (await File.ReadAllTextAsync(file, Cancel)).Length != 120; wait++)
                await Task.Delay(50, Cancel);
            (await File.ReadAllTextAsync(file, Cancel)).Length.ShouldBe(120);
            client.PurgeAll();
            await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Evidence_and_tickets_are_requested_again_when_they_are_older_than_the_settings_allow()
    {
        var options = Options();
        (options.MaxEvidenceAge, options.MaxTicketAge) = (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(10));
        await using var client = DelegationClient.Create(options, _log);

        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        await Task.Delay(TimeSpan.FromMilliseconds(100), Cancel);
        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);

        _realm.Transcript.Count(line => line.StartsWith("SELF", StringComparison.Ordinal)).ShouldBeGreaterThan(1);
        _realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal)).ShouldBeGreaterThan(1);
        _realm.Transcript.Count(line => line.StartsWith("AS", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_user_principal_name_is_delegated_unchanged()
    {
        var options = Options();
        options.Applications["erp"].LoginIdentity = LoginIdentity.UserPrincipalName;
        await using var client = DelegationClient.Create(options, _log);

        var credential = await client.GetCredentialAsync("erp", Caller("ada", ("upn", "ada@corp.example")), Cancel);

        credential.Ticket.User.Name.ShouldBe("ada@corp.example");
    }

    [Fact]
    public async Task Applications_with_one_account_share_its_logon_and_the_users_evidence()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        await client.GetCredentialAsync("CRM", Caller("ada"), Cancel);
        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);

        _realm.Transcript.ShouldBe(["AS gw$ ok", "SELF ada>gw$ ok", "PROXY ada>HTTP/erp ok", "PROXY ada>HTTP/crm ok"]);
    }

    [Fact]
    public async Task A_refusal_of_the_KDC_is_explained()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var error = await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("closed", Caller("ada"), Cancel));

        (error.Stage, error.EventId).ShouldBe((KcdStage.Delegation, 13019));
        error.Cause.ShouldContain("HTTP/closed");
        error.Remedy.ShouldContain("Set-ADComputer -Identity 'gw$'");
        error.InnerException.ShouldBeOfType<KerberosException>().Code.ShouldBe(KerberosErrorCode.BadOption);
    }

    [Fact]
    public async Task A_disabled_user_is_reported_as_an_identity_error()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var error = await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("erp", Caller("eve"), Cancel));

        (error.Stage, error.EventId).ShouldBe((KcdStage.Identity, 13019));
        error.Kind.ShouldBe(KcdErrorKind.UserNotPermitted);
        _log.Records.Single(record => record.Category == "KcdDelegation.Audit").Level.ShouldBe(LogLevel.Warning);
    }

    [Fact]
    public async Task An_application_that_is_not_configured_gets_no_ticket()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var error = await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("hr", Caller("ada"), Cancel));

        error.EventId.ShouldBe(13020);
        _realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_KDC_is_not_contacted_for_a_caller_without_an_identity()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var error = await Should.ThrowAsync<KcdException>(
            async () => await client.GetCredentialAsync("erp", new ClaimsPrincipal(), Cancel));

        error.EventId.ShouldBe(13016);
        _realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_decision_is_one_event_of_the_audit()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var credential = await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("closed", Caller("ada"), Cancel));
        await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("erp", Caller("krbtgt"), Cancel));

        var audit = _log.Records.Where(record => record.Category == "KcdDelegation.Audit").ToArray();
        audit.Select(record => (record.Id, record.Level))
            .ShouldBe([(24029, LogLevel.Debug), (13019, LogLevel.Error), (1044, LogLevel.Warning)]);
        audit[0].Text.ShouldBe(
            $"id-of-ada is delegated as ada@{_realm.Name} (SID {credential.Ticket.SecurityIdentifier}) to HTTP/erp (erp) with a ticket "
                + $"that is valid "
            + $"until {credential.Ticket.EndTime:u}");
        audit[2].Text.ShouldStartWith("Delegation to erp refused for the caller id-of-krbtgt: ");
        audit[1].Field("Caller").ShouldBe("id-of-ada");
        audit[1].Field("User").ShouldBe($"ada@{_realm.Name}");
        audit[1].Field("Account").ShouldBe("gw$");
        audit[1].Field("Realm").ShouldBe(_realm.Name);
        audit[1].Field("Service").ShouldBe("HTTP/closed");
        audit[1].Field("KerberosError").ShouldBe("KDC_ERR_BADOPTION");
        audit[1].Field("{OriginalFormat}").ShouldBe("Delegation to {Application} refused for the caller {Caller}: {Cause} Remedy: {Remedy} "
            + "(stage {Stage}, event {Event})");
    }

    [Theory]
    [InlineData("oid", "sub")]
    [InlineData("http://schemas.microsoft.com/identity/claims/objectidentifier", "sub")]
    [InlineData("sub", ClaimTypes.NameIdentifier)]
    [InlineData(ClaimTypes.NameIdentifier, "name")]
    public async Task The_audit_names_the_identifier_that_the_issuer_gave_the_caller_and_never_a_name(string claim, string other)
    {
        await using var client = DelegationClient.Create(Options(), _log);
        Claim[] claims =
        [
            new("name", "Ada"), new("upn", "ada@corp.example"), new(ClaimTypes.Name, "ada"), new("onprem_sam_account_name", "ada"),
            new(other, "other"), new(claim, "id"),
        ];

        await client.GetCredentialAsync("erp", new ClaimsPrincipal(new ClaimsIdentity(claims, "Bearer")), Cancel);
        await client.GetCredentialAsync("erp", new ClaimsPrincipal(new ClaimsIdentity(claims[..4], "Bearer")), Cancel);

        _log.Records.Where(record => record.Category == "KcdDelegation.Audit").Select(record => record.Field("Caller"))
            .ShouldBe(["id", "A caller without an identifier"]);
    }

    [Fact]
    public async Task A_key_that_the_KDC_rejects_is_reported_at_logon()
    {
        await File.WriteAllTextAsync(_passwordFile, "wrong", Cancel);
        await using var client = DelegationClient.Create(Options(), _log);

        var error = await Should.ThrowAsync<KcdException>(async () => await client.LogOnAsync(Cancel));

        (error.Stage, error.EventId).ShouldBe((KcdStage.Delegation, 12027));
        error.Cause.ShouldContain("KDC_ERR_PREAUTH_FAILED");
        _log.Records.Where(record => record.Category == "KcdDelegation.Audit")
            .ShouldHaveSingleItem().Text.ShouldBe($"Refused: {char.ToLowerInvariant(error.Message[0])}{error.Message[1..]}");
    }

    [Fact]
    public async Task A_polled_log_on_logs_a_failure_once_and_its_end()
    {
        await File.WriteAllTextAsync(_passwordFile, "wrong", Cancel);
        await using var client = DelegationClient.Create(Options(), _log);

        for (var poll = 0; poll < 3; poll++)
            (await Should.ThrowAsync<KcdException>(async () => await client.LogOnAsync(Cancel))).EventId.ShouldBe(12027);
        _log.Records.Count(record => record.Category == "KcdDelegation.Audit").ShouldBe(1);

        await File.WriteAllTextAsync(_passwordFile, "Passw0rd!", Cancel);
        File.SetLastWriteTimeUtc(_passwordFile, TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(-30));
        for (var poll = 0; poll < 3; poll++)
            await client.LogOnAsync(Cancel);

        _log.Records.Count(record => record.Category == "KcdDelegation.Audit").ShouldBe(1);
        var recovered = _log.Records.Where(record => record.Id == KcdEventId.LogOnRecovered).ShouldHaveSingleItem();
        (recovered.Level, recovered.Text).ShouldBe(
            (LogLevel.Information, $"The account gw$ of the realm {_realm.Name} can log on again"));
    }

    [Fact]
    public async Task A_log_on_tries_every_account_and_reports_the_first_failure()
    {
        var options = Options();
        options.Applications["closed"].ServiceAccount = new ServiceAccountOptions { Name = "missing$", PasswordFile = _passwordFile };
        options.Applications["crm"].ServiceAccount = new ServiceAccountOptions { Name = "absent$", PasswordFile = _passwordFile };
        await using var client = DelegationClient.Create(options, _log);

        await Should.ThrowAsync<KcdException>(async () => await client.LogOnAsync(Cancel));

        var audit = _log.Records.Where(record => record.Category == "KcdDelegation.Audit").ToArray();
        audit.Select(record => (string?)record.Field("Account")).Order(StringComparer.Ordinal).ShouldBe(["absent$", "missing$"]);
        _realm.Transcript.ShouldContain("AS gw$ ok");
    }

    [Fact]
    public async Task A_refusal_has_one_inner_exception_which_is_the_engines()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var error = await Should.ThrowAsync<KcdException>(async () => await client.GetCredentialAsync("erp", Caller("eve"), Cancel));

        error.InnerException.ShouldBeOfType<KerberosException>().InnerException.ShouldBeNull();
    }

    [Fact]
    public async Task A_failed_mapping_is_audited_although_no_ticket_was_requested()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var error = await Should.ThrowAsync<KcdException>(async () => await client.MapAsync("erp", Caller("krbtgt"), Cancel));

        var record = _log.Records.Where(record => record.Category == "KcdDelegation.Audit").ShouldHaveSingleItem();
        (record.Id, record.Text).ShouldBe((error.EventId, $"Delegation to erp refused for the caller id-of-krbtgt: {error.Message}"));
    }

    [Fact]
    public async Task Signing_out_drops_only_the_callers_tickets_for_every_application()
    {
        _realm.User("bob");
        await using var client = DelegationClient.Create(Options(), _log);
        var ada = await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        await client.GetCredentialAsync("crm", Caller("ada"), Cancel);
        var bob = await client.GetCredentialAsync("erp", Caller("bob"), Cancel);

        (await client.PurgeAsync(Caller("ada"), Cancel)).ShouldBe(3);

        Should.Throw<InvalidOperationException>(() => ada.CreateAuthorization(TokenFormat.Kerberos));
        bob.CreateAuthorization(TokenFormat.Kerberos).Parameter.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task After_a_sign_out_a_template_that_was_kept_creates_no_header()
    {
        await using var client = DelegationClient.Create(Options(), _log);
        var credential = await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        for (var use = 0; use < 4; use++)
            credential.CreateAuthorization(TokenFormat.Kerberos);

        await client.PurgeAsync(Caller("ada"), Cancel);

        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));
    }

    [Fact]
    public async Task A_user_of_the_directory_can_be_purged_by_name()
    {
        _realm.User("bob");
        await using var client = DelegationClient.Create(Options(), _log);
        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        var bob = await client.GetCredentialAsync("erp", Caller("bob"), Cancel);

        client.Purge(KerberosPrincipal.Principal("ada", _realm.Name)).ShouldBe(2);

        bob.CreateAuthorization(TokenFormat.Kerberos).Parameter.ShouldNotBeNullOrEmpty();
        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        _realm.Transcript.Count(line => line == "SELF ada>gw$ ok").ShouldBe(2);
        _log.Records.Where(record => record.Id == 2410).ShouldHaveSingleItem().Text
            .ShouldBe("Tickets of a user were dropped by a call of the host; number of tickets: 2");
    }

    [Fact]
    public async Task An_application_can_be_purged_for_all_users()
    {
        _realm.User("bob");
        await using var client = DelegationClient.Create(Options(), _log);
        var (ada, bob) = (await client.GetCredentialAsync("erp", Caller("ada"), Cancel),
            await client.GetCredentialAsync("erp", Caller("bob"), Cancel));
        var other = await client.GetCredentialAsync("crm", Caller("ada"), Cancel);

        client.PurgeApplication("ERP").ShouldBe(2);

        Should.Throw<InvalidOperationException>(() => ada.CreateAuthorization(TokenFormat.Kerberos));
        Should.Throw<InvalidOperationException>(() => bob.CreateAuthorization(TokenFormat.Kerberos));
        other.CreateAuthorization(TokenFormat.Kerberos).Parameter.ShouldNotBeNullOrEmpty();
        Should.Throw<KcdException>(() => client.PurgeApplication("hr")).EventId.ShouldBe(13020);
    }

    [Fact]
    public async Task Everything_can_be_purged_including_the_tickets_of_the_account()
    {
        await using var client = DelegationClient.Create(Options(), _log);
        var credential = await client.GetCredentialAsync("erp", Caller("ada"), Cancel);

        client.PurgeAll().ShouldBe(3);

        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));
        await client.GetCredentialAsync("erp", Caller("ada"), Cancel);
        _realm.Transcript.Count(line => line == "AS gw$ ok").ShouldBe(2);
    }

    [Fact]
    public async Task Signing_out_without_an_identity_drops_nothing()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        (await client.PurgeAsync(new ClaimsPrincipal(), Cancel)).ShouldBe(0);
    }

    [Fact]
    public async Task Mapping_alone_contacts_no_KDC()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        (await client.MapAsync("erp", Caller("ada"), Cancel)).ShouldBe(KerberosPrincipal.Principal("ada", _realm.Name));

        _realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_tenant_of_the_settings_is_required_of_principals_that_the_host_has_authenticated()
    {
        var options = Options();
        options.Token.TenantId = "contoso";
        await using var client = DelegationClient.Create(options, _log);

        (await client.MapAsync("erp", Caller("ada", ("tid", "contoso")), Cancel)).Name.ShouldBe("ada");
        var error = await Should.ThrowAsync<KcdException>(
            async () => await client.GetCredentialAsync("erp", Caller("ada", ("tid", "fabrikam")), Cancel));

        error.EventId.ShouldBe(1023);
        _realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_an_issuer_no_token_is_accepted()
    {
        await using var client = DelegationClient.Create(Options(), _log);

        var error = await Should.ThrowAsync<KcdException>(async () => await client.ValidateTokenAsync("e30.e30.e30", Cancel));

        error.EventId.ShouldBe(1030);
        _log.Records.ShouldContain(record => record.Id == 1030);
    }

    [Fact]
    public void Invalid_options_are_listed_in_one_exception()
    {
        var options = Options();
        options.Applications["erp"].InternalUrl = null;
        options.Applications["crm"].ServicePrincipalName = null;

        var error = Should.Throw<OptionsValidationException>(() => DelegationClient.Create(options));

        error.Failures.Count().ShouldBe(2);
    }

    [Fact]
    public async Task After_disposal_there_are_no_tickets_and_no_headers()
    {
        var client = DelegationClient.Create(Options(), _log);
        var credential = await client.GetCredentialAsync("erp", Caller("ada"), Cancel);

        await client.DisposeAsync();

        await Should.ThrowAsync<ObjectDisposedException>(async () => await client.GetCredentialAsync("erp", Caller("ada"), Cancel));
        await Should.ThrowAsync<ObjectDisposedException>(async () => await client.ValidateTokenAsync("e30.e30.e30", Cancel));
        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private KcdOptions Options()
    {
        var options = new KcdOptions
        {
            Realm = _realm.Name,
            ServiceAccount = { Name = "gw$", PasswordFile = _passwordFile },
            Kdcs = { _realm.Endpoint.ToString() },
        };
        foreach (var name in new[] { "erp", "crm", "closed" })
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

    private static ClaimsPrincipal Caller(string name, params (string Type, string Value)[] more) => new(new ClaimsIdentity(
        [new Claim("onprem_sam_account_name", name), new Claim("oid", "id-of-" + name),
            .. more.Select(claim => new Claim(claim.Type, claim.Value))], "Bearer"));
}
