using System.Security.Claims;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Tests.Identity;

public sealed class GuardedMapperTests
{
    private const string Tenant = "11111111-2222-3333-4444-555555555555";

    private readonly KcdOptions _options = Samples.Options();
    private readonly Table _table = new();

    [Fact]
    public async Task A_custom_mapper_provides_the_name_of_an_eligible_caller()
    {
        _table.Answer = KerberosPrincipal.Enterprise("ada@contoso.com");

        (await MapAsync(Caller(("tid", Tenant)))).ShouldBe(_table.Answer);
    }

    public static TheoryData<int, string, string> Refused => new()
    {
        { 1023, "tid", "99999999-2222-3333-4444-555555555555" },
        { 1023, "sub", "no tenant" },
        { 1025, "acct", "1" },
        { 1026, "idtyp", "app" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Ineligible_callers_are_never_passed_to_the_mapper(int eventId, string claim, string value)
    {
        var error = await RefusedAsync(claim is "tid" or "sub" ? Caller((claim, value)) : Caller(("tid", Tenant), (claim, value)));

        error.EventId.ShouldBe(eventId);
        _table.Asked.ShouldBe(0);
    }

    [Fact]
    public async Task Unauthenticated_callers_are_never_passed_to_the_mapper()
    {
        (await RefusedAsync(new ClaimsPrincipal(new ClaimsIdentity([new Claim("tid", Tenant)])))).EventId.ShouldBe(13016);

        _table.Asked.ShouldBe(0);
    }

    [Theory]
    [InlineData(PrincipalNameType.Principal, "krbtgt")]
    [InlineData(PrincipalNameType.Principal, "krbtgt/CONTOSO.COM")]
    [InlineData(PrincipalNameType.ServiceInstance, "krbtgt/CONTOSO.COM")]
    [InlineData(PrincipalNameType.Enterprise, "krbtgt@contoso.com")]
    [InlineData(PrincipalNameType.Enterprise, "krbtgt")]
    public async Task The_KDC_is_never_accepted_from_the_mapper(PrincipalNameType type, string name)
    {
        _options.Application().AllowBuiltInAccounts = true;
        _table.Answer = new KerberosPrincipal(type, name, "CONTOSO.COM");

        (await RefusedAsync(Caller(("tid", Tenant)))).EventId.ShouldBe(1044);
    }

    [Theory]
    [InlineData(PrincipalNameType.Principal, "Administrator")]
    [InlineData(PrincipalNameType.Principal, "DC1$")]
    [InlineData(PrincipalNameType.Principal, "host/dc1.contoso.com")]
    [InlineData(PrincipalNameType.ServiceInstance, "svc-backup")]
    [InlineData(PrincipalNameType.Enterprise, "Administrator@contoso.com")]
    [InlineData(PrincipalNameType.Enterprise, "DC1$@contoso.com@contoso.com")]
    public async Task Built_in_accounts_are_accepted_from_the_mapper_only_where_they_are_allowed(PrincipalNameType type, string name)
    {
        _table.Answer = new KerberosPrincipal(type, name, "CONTOSO.COM");

        (await RefusedAsync(Caller(("tid", Tenant)))).EventId.ShouldBe(1044);
        _options.Application().AllowBuiltInAccounts = true;
        (await MapAsync(Caller(("tid", Tenant)))).ShouldBe(_table.Answer);
    }

    [Fact]
    public async Task A_guests_name_is_accepted_from_the_mapper_only_where_guests_are_allowed()
    {
        _table.Answer = KerberosPrincipal.Enterprise("eve_evil.example#EXT#@contoso.com");

        (await RefusedAsync(Caller(("tid", Tenant)))).EventId.ShouldBe(1025);
        _options.Token.AllowGuests = true;
        (await MapAsync(Caller(("tid", Tenant)))).ShouldBe(_table.Answer);
    }

    private async Task<KerberosPrincipal> MapAsync(ClaimsPrincipal caller)
    {
        SettingsParser.TryParse(_options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        var application = settings.ShouldNotBeNull().Applications["erp"];
        return await new GuardedMapper(_table)
            .MapAsync(caller, application.Callers, application.Mapping, TestContext.Current.CancellationToken);
    }

    private Task<KcdException> RefusedAsync(ClaimsPrincipal caller) => Should.ThrowAsync<KcdException>(() => MapAsync(caller));

    private static ClaimsPrincipal Caller(params (string Type, string Value)[] claims) =>
        new(new ClaimsIdentity(claims.Select(claim => new Claim(claim.Type, claim.Value)), "Bearer"));

    private sealed class Table : IIdentityMapper
    {
        public KerberosPrincipal Answer { get; set; } = KerberosPrincipal.Principal("ada", "CONTOSO.COM");

        public int Asked { get; private set; }

        public ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, MappingContext context, CancellationToken cancellationToken)
        {
            Asked++;
            return ValueTask.FromResult(Answer);
        }
    }
}
