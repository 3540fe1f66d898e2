using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace KcdDelegation.Gateway.Tests.Applications;

public sealed class ConditionTests
{
    [Theory]
    [InlineData("""{ "RequiredScopes": ["access_as_user", "erp.write"] }""", "scp", "access_as_user erp.write", "access_as_user erp.writ")]
    [InlineData("""{ "RequiredGroups": ["g1", "g2"] }""", "groups", "g2", "g3")]
    [InlineData("""{ "RequiredGroups": ["g1"] }""", "groups", "g1", "G1")]
    [InlineData("""{ "RequiredClaims": { "amr": ["mfa"] } }""", "amr", "mfa", "pwd")]
    [InlineData("""{ "RequiredClaims": { "department": [] } }""", "department", "sales", null)]
    public async Task A_condition_admits_only_users_who_meet_it(string condition, string claim, string good, string? bad)
    {
        await using var gateway = await TestGateway.StartAsync(settings => Add(settings, condition));

        (await gateway.GetAsync("ada", claims: Claims(claim, good))).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("ada", claims: Claims(claim, bad))).Status.ShouldBe(HttpStatusCode.Forbidden);

        gateway.Backend.Requests.ShouldHaveSingleItem();
        gateway.Log.Find(6010).ShouldHaveSingleItem().ShouldContain("erp");
    }

    [Fact]
    public async Task A_group_is_found_among_several()
    {
        await using var gateway = await TestGateway.StartAsync(settings => Add(settings, """{ "RequiredGroups": ["g2"] }"""));

        (await gateway.GetAsync("ada", claims: Claims("groups", (string[])["g1", "g2"]))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task All_conditions_hold_together()
    {
        await using var gateway = await TestGateway.StartAsync(settings => Add(
            settings, """{ "RequiredGroups": ["g1"], "RequiredClaims": { "amr": ["mfa"], "department": ["sales"] } }"""));

        (await gateway.GetAsync("ada", claims: new Dictionary<string, object?> { ["groups"] = "g1", ["amr"] = "mfa" })).Status
            .ShouldBe(HttpStatusCode.Forbidden);
        (await gateway.GetAsync("ada", claims: new Dictionary<string, object?>
        {
            ["groups"] = "g1", ["amr"] = "mfa", ["department"] = "sales",
        })).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_missing_scope_is_named_in_the_challenge()
    {
        await using var gateway = await TestGateway.StartAsync(settings => Add(settings, """{ "RequiredScopes": ["erp.write"] }"""));

        using var response = await gateway.SendAsync("ada");

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer error=\"insufficient_scope\", scope=\"erp.write\"");
    }

    [Fact]
    public async Task Too_many_groups_are_refused_and_explained_in_the_log()
    {
        await using var gateway = await TestGateway.StartAsync(settings => Add(settings, """{ "RequiredGroups": ["g1"] }"""));

        (await gateway.GetAsync("ada", claims: Claims("hasgroups", "true"))).Status.ShouldBe(HttpStatusCode.Forbidden);

        gateway.Log.Find(6010).ShouldHaveSingleItem().ShouldContain("too many groups");
    }

    [Fact]
    public async Task A_weak_sign_in_gets_the_challenge_for_a_stronger_one()
    {
        await using var gateway = await TestGateway.StartAsync(settings => Add(settings, """{ "RequiredAcr": "c1" }"""));

        using var weak = await gateway.SendAsync("ada", claims: Claims("acr", "c0"));

        weak.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        weak.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer error=\"insufficient_user_authentication\", acr_values=\"c1\"");
        (await gateway.GetAsync("ada", claims: Claims("acr", "c1"))).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("ada", claims: Claims("acrs", (string[])["c1", "c2"]))).Status.ShouldBe(HttpStatusCode.OK);
        gateway.Backend.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_conditions_of_one_application_do_not_concern_another()
    {
        await using var gateway = await TestGateway.StartAsync(settings => Add(settings, """{ "RequiredGroups": ["g1"] }"""));

        (await gateway.GetAsync("ada", "https://wiki.contoso.test/")).Status.ShouldBe(HttpStatusCode.OK);
    }

    private static Dictionary<string, object?> Claims(string name, object? value) => new(StringComparer.Ordinal) { [name] = value };

    private static void Add(JsonObject settings, string condition)
    {
        foreach (var (name, value) in JsonNode.Parse(Encoding.UTF8.GetBytes(condition))!.AsObject())
            settings["Applications"]!["erp"]![name] = value!.DeepClone();
    }
}
