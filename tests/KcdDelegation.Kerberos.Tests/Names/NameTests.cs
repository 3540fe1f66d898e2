namespace KcdDelegation.Kerberos.Tests.Names;

public sealed class NameTests
{
    [Theory]
    [InlineData("HTTP/web.contoso.com", "HTTP", "web.contoso.com", null, null, null)]
    [InlineData("http/web:8443", "http", "web", 8443, null, null)]
    [InlineData("ldap/dc1.contoso.com/contoso.com", "ldap", "dc1.contoso.com", null, "contoso.com", null)]
    [InlineData("HTTP/web.contoso.com@CONTOSO.COM", "HTTP", "web.contoso.com", null, null, "CONTOSO.COM")]
    [InlineData("MSSQLSvc/sql.contoso.com:1433/inst@EU.CONTOSO.COM", "MSSQLSvc", "sql.contoso.com", 1433, "inst", "EU.CONTOSO.COM")]
    public void A_service_principal_name_is_parsed_and_its_text_kept(
        string text, string serviceClass, string host, int? port, string? name, string? realm)
    {
        var spn = ServicePrincipalName.Parse(text);
        (spn.ServiceClass, spn.Host, spn.Port, spn.ServiceName, spn.Realm).ShouldBe((serviceClass, host, port, name, realm));
        spn.ToString().ShouldBe(text);
        string.Join('/', spn.Components).ShouldBe(text.Split('@')[0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP")]
    [InlineData("HTTP/")]
    [InlineData("/web")]
    [InlineData("HTTP/web/")]
    [InlineData("HTTP/a/b/c")]
    [InlineData("HTTP/web:0")]
    [InlineData("HTTP/web:65536")]
    [InlineData("HTTP/web:http")]
    [InlineData("HTTP/:80")]
    [InlineData("HTTP/web@")]
    [InlineData("HTTP/web@A@B")]
    [InlineData("HTTP/web@A/B")]
    [InlineData("HTTP/we b")]
    [InlineData("HTTP/web\r\nX: y")]
    [InlineData("HTTP/web\u0000")]
    [InlineData("HTTP/\u202Ebew")]
    [InlineData("HTTP\\web/a")]
    public void Text_that_is_not_a_service_principal_name_is_rejected(string text)
    {
        ServicePrincipalName.TryParse(text, null, out _).ShouldBeFalse();
        Should.Throw<FormatException>(() => ServicePrincipalName.Parse(text)).Message.ShouldContain("HTTP/web.contoso.com");
    }

    [Theory]
    [InlineData("MSSQLSvc/sql.contoso.com:INSTANCE", "sql.contoso.com", null, "INSTANCE")]
    [InlineData("MSSQLSvc/sql.contoso.com:SQL_2022$1", "sql.contoso.com", null, "SQL_2022$1")]
    [InlineData("MSOLAPSvc.3/olap.contoso.com:Tabular", "olap.contoso.com", null, "Tabular")]
    [InlineData("MSSQLSvc/sql.contoso.com:1433", "sql.contoso.com", 1433, null)]
    [InlineData("HTTP/::1", "::1", null, null)]
    [InlineData("HTTP/2001:db8::443", "2001:db8::443", null, null)]
    [InlineData("HTTP/[::1]", "::1", null, null)]
    [InlineData("HTTP/[2001:db8::1]:8443", "2001:db8::1", 8443, null)]
    [InlineData("HTTP/10.0.0.1:8080", "10.0.0.1", 8080, null)]
    [InlineData("MSSQLSvc/[2001:db8::1]:1433", "2001:db8::1", 1433, null)]
    [InlineData("MSSQLSvc/[2001:db8::1]:SQLEXPRESS", "2001:db8::1", null, "SQLEXPRESS")]
    [InlineData("mssqlsvc/sql.contoso.com:Instance", "sql.contoso.com", null, "Instance")]
    [InlineData("HTTP/::ffff:10.0.0.1", "::ffff:10.0.0.1", null, null)]
    public void Instances_and_addresses_are_distinguished_from_ports(string text, string host, int? port, string? instance)
    {
        var spn = ServicePrincipalName.Parse(text);
        (spn.Host, spn.Port, spn.InstanceName).ShouldBe((host, port, instance));
        spn.ToString().ShouldBe(text);
    }

    [Theory]
    [InlineData("HTTP/web:INSTANCE")]
    [InlineData("MSSQLSvc/sql:")]
    [InlineData("MSSQLSvc/sql:99999")]
    [InlineData("MSSQLSvc/:INSTANCE")]
    [InlineData("MSSQLSvc/sql:A:B")]
    [InlineData("HTTP/[::1")]
    [InlineData("HTTP/::1]")]
    [InlineData("HTTP/[web]")]
    [InlineData("HTTP/[]")]
    [InlineData("HTTP/[::1]8080")]
    [InlineData("HTTP/[::1]:")]
    [InlineData("HTTP/[::1]:0")]
    [InlineData("HTTP/[::1]:INSTANCE")]
    [InlineData("MSSQLSvc/[::1]:")]
    [InlineData("MSSQLSvc/[::1]:A:B")]
    [InlineData("HTTP/[10.0.0.1]:80")]
    [InlineData("HTTP/[fe80::1%eth0]:80")]
    [InlineData("HTTP/web:+80")]
    [InlineData("HTTP/web: 80")]
    [InlineData("HTTP/web:٨٠")]
    [InlineData("@CONTOSO.COM")]
    [InlineData("HTTP//web")]
    [InlineData("HTTP/web//x")]
    [InlineData("HTTP/fe80::1%eth0")]
    [InlineData("HTTP/::1::2")]
    [InlineData("HTTP/a:b:c")]
    [InlineData("HTTP/web@CONTOSO..COM")]
    [InlineData("HTTP/web@CONTOSO%COM")]
    public void A_host_part_that_is_neither_host_address_port_nor_instance_is_rejected(string text) =>
        ServicePrincipalName.TryParse(text, null, out _).ShouldBeFalse();

    [Fact]
    public void Service_principal_names_are_compared_ordinally() =>
        ServicePrincipalName.Parse("HTTP/web").ShouldNotBe(ServicePrincipalName.Parse("http/web"));

    [Theory]
    [InlineData("dc1", "dc1", 88, KdcTransport.Tcp)]
    [InlineData("dc1.contoso.com:750", "dc1.contoso.com", 750, KdcTransport.Tcp)]
    [InlineData("10.0.0.1:88", "10.0.0.1", 88, KdcTransport.Tcp)]
    [InlineData("[2001:db8::1]:750", "2001:db8::1", 750, KdcTransport.Tcp)]
    [InlineData("[::1]", "::1", 88, KdcTransport.Tcp)]
    [InlineData("::1", "::1", 88, KdcTransport.Tcp)]
    [InlineData("udp/dc1", "dc1", 88, KdcTransport.Udp)]
    [InlineData("tcp/dc1:88", "dc1", 88, KdcTransport.Tcp)]
    public void A_KDC_endpoint_is_parsed_and_formatted_to_a_text_that_parses_again(
        string text, string host, int port, KdcTransport transport)
    {
        var kdc = KdcEndpoint.Parse(text);
        kdc.ShouldBe(new KdcEndpoint(host, port, transport));
        KdcEndpoint.Parse(kdc.ToString()).ShouldBe(kdc);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":88")]
    [InlineData("dc1:")]
    [InlineData("dc1:0")]
    [InlineData("dc1:99999")]
    [InlineData("dc1:88:88")]
    [InlineData("[dc1]:88")]
    [InlineData("[::1")]
    [InlineData("[]")]
    [InlineData("[")]
    [InlineData("http://dc1")]
    [InlineData("dc 1")]
    [InlineData("udp/")]
    [InlineData("\u202e")]
    [InlineData("dc1\u202e.contoso.com:88")]
    [InlineData("dc1\u200b")]
    [InlineData("[fe80::1%\u202e]:88")]
    public void Text_that_is_not_a_KDC_endpoint_is_rejected(string text)
    {
        KdcEndpoint.TryParse(text, null, out _).ShouldBeFalse();
        Should.Throw<FormatException>(() => KdcEndpoint.Parse(text));
    }

    [Theory]
    [InlineData("", "R")]
    [InlineData("a\u0007", "R")]
    [InlineData("a\u200B", "R")]
    [InlineData("ada", "")]
    [InlineData("ada", "R\n")]
    [InlineData("ada/", "R")]
    public void A_principal_with_an_invalid_name_or_realm_is_rejected(string name, string realm) =>
        Should.Throw<ArgumentException>(() => KerberosPrincipal.Principal(name, realm));

    [Fact]
    public void A_name_that_is_too_long_or_has_a_lone_surrogate_is_rejected()
    {
        Should.Throw<ArgumentException>(() => KerberosPrincipal.Principal(new string('a', 1025), "R"));
        Should.Throw<ArgumentException>(() => KerberosPrincipal.Principal("a\uD800", "R"));
    }

    [Fact]
    public void An_enterprise_name_is_always_one_component() =>
        KerberosPrincipal.Enterprise("a/b@contoso.com").Components.ShouldBe(["a/b@contoso.com"]);

    [Fact]
    public void Only_an_enterprise_name_may_have_no_realm()
    {
        KerberosPrincipal.Enterprise("ada@contoso.com").Realm.ShouldBeNull();
        Should.Throw<ArgumentException>(() => new KerberosPrincipal(PrincipalNameType.Principal, "ada", null));
    }

    [Fact]
    public void Principals_are_equal_if_type_name_realm_and_SID_are_equal()
    {
        var ada = KerberosPrincipal.Principal("ada", "R");
        ada.ShouldBe(KerberosPrincipal.Principal("ada", "R"));
        ada.ShouldNotBe(KerberosPrincipal.Principal("Ada", "R"));
        ada.ShouldNotBe(KerberosPrincipal.Principal("ada", "r"));
        ada.ShouldNotBe(KerberosPrincipal.Enterprise("ada", "R"));
        ada.ShouldNotBe(ada with { SecurityIdentifier = "S-1-5-21-1-2-3-1103" });
    }

    [Theory]
    [InlineData("S-1-5-21-1004336348-1177238915-682003330-1103", true)]
    [InlineData("S-1-5-18", true)]
    [InlineData("S-1-5", false)]
    [InlineData("s-1-5-18", false)]
    [InlineData("S-1-5-18 ", false)]
    [InlineData("S-1-5-18\n", false)]
    [InlineData("S-2-5-18", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_SID_is_distinguished_from_other_text(string? text, bool isSid) =>
        KerberosPrincipal.IsSecurityIdentifier(text).ShouldBe(isSid);
}
