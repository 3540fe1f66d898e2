namespace KcdDelegation.Kerberos.Tests.Names;

public sealed class RealmNameTests
{
    public static TheoryData<string> NotRealms =>
    [
        "", " ", ".", "..", "CONTOSO..COM", ".COM", "CONTOSO.COM.", "CONTOSO COM", "CONTOSO/COM", "A@B", "CONTOSO%COM", "fe80::1%eth0",
            "../../etc",
        "CONTOSO\\COM", "CONTOSO:COM", "CONTOSO\nCOM", "CONTOSO\u202e", "CONTOSO\0", "ĉontoso.com", new string('a', 256),
    ];

    [Theory]
    [InlineData("CONTOSO.COM")]
    [InlineData("contoso.com")]
    [InlineData("AD22")]
    [InlineData("eu-1.ad_2.CONTOSO.COM")]
    public void A_domain_style_name_is_a_realm(string text) => KerberosPrincipal.IsRealm(text).ShouldBeTrue();

    [Theory]
    [MemberData(nameof(NotRealms))]
    public void Other_text_is_not_a_realm_in_names_options_and_arguments(string text)
    {
        KerberosPrincipal.IsRealm(text).ShouldBeFalse();
        Should.Throw<ArgumentException>(() => KerberosPrincipal.Principal("ada", text));
        ServicePrincipalName.TryParse($"HTTP/web@{text}", null, out _).ShouldBeFalse();
        Should.Throw<ArgumentException>(
            () => new S4UClient(new S4UClientOptions { Realm = text, Account = ServiceAccount.FromPassword("svc", "secret") }));
    }
}
