using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.Messages;

public sealed class PrincipalNameTests
{
    [Fact]
    public void Names_are_compared_by_component()
    {
        var one = new PrincipalName(1, ["a/b"]);
        var two = new PrincipalName(1, ["a", "b"]);
        one.ShouldNotBe(two);
        one.EqualsIgnoreCase(two).ShouldBeFalse();
        two.EqualsIgnoreCase(new PrincipalName(2, ["A", "B"])).ShouldBeTrue();
        two.IsSingleComponent("a/b").ShouldBeFalse();
        one.IsSingleComponent("A/B").ShouldBeTrue();
        one.IsSingleComponent(null).ShouldBeFalse();
    }

    public static TheoryData<int, string[]> OddNames => new()
    {
        { 1, [] },
        { 1, [""] },
        { 1, ["ada", ""] },
        { 1, ["a/b"] },
        { 10, [] },
        { 10, [""] },
        { 10, ["ada", "/x"] },
    };

    [Theory]
    [MemberData(nameof(OddNames))]
    public void A_name_that_is_not_the_name_of_an_account_is_a_KerberosException(int type, string[] components) =>
        Should.Throw<KerberosException>(() => new PrincipalName(type, components).ToPrincipal("CONTOSO.TEST")).Reason
            .ShouldBe(KerberosFailureReason.ReplyRejected);

    [Fact]
    public void An_enterprise_name_stays_one_component_and_other_names_keep_theirs()
    {
        new PrincipalName(10, ["a/b@contoso.test"]).ToPrincipal("CONTOSO.TEST")
            .ShouldBe(KerberosPrincipal.Enterprise("a/b@contoso.test", "CONTOSO.TEST"));
        new PrincipalName(1, ["host", "web"]).ToPrincipal("CONTOSO.TEST").ShouldBe(KerberosPrincipal.Principal("host/web", "CONTOSO.TEST"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/web")]
    [InlineData("host/")]
    [InlineData("host//web")]
    public void A_component_is_never_empty(string name) =>
        Should.Throw<ArgumentException>(() => KerberosPrincipal.Principal(name, "CONTOSO.TEST")).Message.ShouldContain("empty component");
}
