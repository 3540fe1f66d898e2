using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Tests.Transport;

public sealed class Krb5ConfigurationTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly CapturingLogger _logger = new();

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_default_realm_and_the_KDCs_of_realms_are_taken()
    {
        var configuration = Load("""
            # comment
            ; another
            [logging]
                default = FILE:/var/log/krb5.log
            [libdefaults]
                default_realm = CONTOSO.COM
                default_realm = OTHER.COM
                dns_lookup_realm=false
            [realms]*
                CONTOSO.COM = {
                    kdc = dc1.contoso.com
                    kdc = "dc2.contoso.com:1088"
                    kdc = udp/dc3.contoso.com
                    kdc = [2001:db8::1]:88
                    kdc = https://proxy.contoso.com/KdcProxy
                    kdc = dc1.contoso.com
                    admin_server = admin.contoso.com
                    v4_instance_convert = {
                        kdc = not.a.kdc
                    }
                }
                EU.CONTOSO.COM =
                {
                    kdc* = dc1.eu.contoso.com
                }*
            [domain_realm]
                .contoso.com = CONTOSO.COM
                kdc = nor.this
            [realms]
                CONTOSO.COM = {
                    kdc = dc4.contoso.com
                }
            """);

        configuration.DefaultRealm.ShouldBe("CONTOSO.COM");
        configuration.GetKdcs("contoso.com").Select(kdc => kdc.ToString())
            .ShouldBe(["dc1.contoso.com:88", "dc2.contoso.com:1088", "udp/dc3.contoso.com:88", "[2001:db8::1]:88", "dc4.contoso.com:88"]);
        configuration.GetKdcs("EU.CONTOSO.COM").Select(kdc => kdc.ToString()).ShouldBe(["dc1.eu.contoso.com:88"]);
        configuration.GetKdcs("NOWHERE.COM").ShouldBeEmpty();
        _logger.Events.ShouldBeEmpty();
    }

    [Fact]
    public void Files_and_directories_are_included_and_editors_copies_are_not()
    {
        _directory.CreateSubdirectory("d");
        Write("d/10-realm", Realm("A.COM", "first"));
        Write("d/20.conf", Realm("A.COM", "second"));
        Write("d/30.conf~", Realm("A.COM", "copy"));
        Write("d/.40.conf", Realm("A.COM", "hidden"));
        Write("one", Realm("A.COM", "third"));

        Load($"include {_directory.FullName}/one\nincludedir {_directory.FullName}/d\n[libdefaults]\ndefault_realm = A.COM")
            .GetKdcs("A.COM").Select(kdc => kdc.Host).ShouldBe(["third", "first", "second"]);
    }

    [Fact]
    public void Where_several_files_are_listed_the_earlier_one_counts_and_lists_grow()
    {
        var configuration = Krb5Configuration.Load(
            [Write("a", "[libdefaults]\ndefault_realm = A.COM\n" + Realm("A.COM", "a")), Path.Combine(_directory.FullName, "missing"), Write("b", "[libdefaults]\ndefault_realm = B.COM\n" + Realm("A.COM", "b"))], _logger);

        configuration.DefaultRealm.ShouldBe("A.COM");
        configuration.GetKdcs("A.COM").Select(kdc => kdc.Host).ShouldBe(["a", "b"]);
        _logger.Events.ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_includes_itself_is_read_once_and_warned_of()
    {
        var path = Path.Combine(_directory.FullName, "krb5.conf");
        Load(Realm("A.COM", "a") + $"\ninclude {path}").GetKdcs("A.COM").Count.ShouldBe(1);

        _logger.Events.ShouldHaveSingleItem().Text.ShouldContain("includes itself");
    }

    [Fact]
    public void Inclusion_is_bounded()
    {
        for (var i = 0; i < 20; i++)
            Write($"f{i}", $"include f{i + 1}\n");

        Load("include f0");

        _logger.Events.ShouldHaveSingleItem().Text.ShouldContain("one file too many");
    }

    [Theory]
    [InlineData("[realms]\nA.COM = {\nkdc = a\n", "ends within braces")]
    [InlineData("[realms]\n}\n", "line 2")]
    [InlineData("kdc = a\n", "line 1")]
    [InlineData("[realms\n", "line 1")]
    [InlineData("[realms]\nA.COM = {\n[libdefaults]\n", "line 3")]
    [InlineData("[realms]\nA.COM =\nkdc = a\n", "line 3")]
    [InlineData("[realms]\nnonsense\n", "line 2")]
    [InlineData("include /nowhere/at/all\n", "/nowhere/at/all")]
    [InlineData("[libdefaults]\ninclude a\0b\n", "line 2")]
    [InlineData("includedir a\0b\n", "line 1")]
    [InlineData("include a\0b = c\n", "line 1")]
    [InlineData("[a]\nb={\nb={\nb={\nb={\nb={\nb={\nb={\nb={\nb={\nb={\n", "line 9")]
    public void A_file_that_cannot_be_understood_is_a_warning_with_its_place(string content, string place)
    {
        Load(content).DefaultRealm.ShouldBeNull();

        var warning = _logger.Events.ShouldHaveSingleItem();
        warning.Level.ShouldBe(LogLevel.Warning);
        warning.Text.ShouldContain(place);
    }

    /// <summary>Bytes of all kinds, and the words of the format in any order.</summary>
    [Fact]
    public void Whatever_a_file_holds_it_is_read_or_refused_as_documented()
    {
        string[] words = ["[realms]", "[", "]", "A.COM", " = ", "=", "{", "}", "}*", "\n", "\n", "\n", "kdc", "*", "\"", "include ", "includedir ", "module ", "\0", "\t", "#", ".", ":88", "udp/", "\ud800", "default_realm"];
        for (var round = 0; round < 2_000; round++)
        {
            var content = round % 4 == 0
                ? RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(200))
                : Encoding.UTF8.GetBytes(string.Concat(RandomNumberGenerator.GetItems<string>(words, RandomNumberGenerator.GetInt32(60))));
            var path = Path.Combine(_directory.FullName, "krb5.conf");
            File.WriteAllBytes(path, content);

            if (Record.Exception(() => Krb5ConfigurationReader.Read(path, static _ => { })) is { } thrown)
                (thrown is InvalidDataException or IOException or UnauthorizedAccessException).ShouldBeTrue($"{Convert.ToHexString(content)}: {thrown}");
            Krb5Configuration.Load([path], _logger).GetKdcs("A.COM").ShouldAllBe(kdc => kdc.Port > 0);
        }
        _logger.Events.ShouldAllBe(logged => logged.Id == 2110);
    }

    [Fact]
    public async Task The_file_is_read_again_after_a_minute()
    {
        var time = new ManualTime();
        var path = Write("krb5.conf", Realm("A.COM", "old"));
        var locator = new Krb5ConfigurationKdcs([path], time, _logger);
        (await locator.FindAsync("A.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("old")]);

        Write("krb5.conf", Realm("A.COM", "new"));
        (await locator.FindAsync("A.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("old")]);
        time.Advance(TimeSpan.FromMinutes(1));

        (await locator.FindAsync("A.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("new")]);
    }

    [Fact]
    public async Task The_options_go_before_the_system_and_what_knows_nothing_is_passed_over()
    {
        var list = new Dictionary<string, IReadOnlyList<KdcEndpoint>>(StringComparer.Ordinal) { ["A.com"] = [new("static")], ["EMPTY.COM"] = [] };
        var file = new Krb5ConfigurationKdcs([Write("krb5.conf", Realm("A.COM", "file") + "\n" + Realm("EMPTY.COM", "file"))], TimeProvider.System, _logger);
        var locator = new FirstKnownKdcs(new StaticKdcs(list), file);

        (await locator.FindAsync("A.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("static")]);
        (await locator.FindAsync("EMPTY.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("file")]);
        (await locator.FindAsync("B.COM", TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    private static string Realm(string name, string kdc) => $"[realms]\n{name} = {{\nkdc = {kdc}\n}}\n";

    private Krb5Configuration Load(string content) => Krb5Configuration.Load([Write("krb5.conf", content)], _logger);

    private string Write(string name, string content)
    {
        var path = Path.Combine(_directory.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
