using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Kerberos.Tests.Transport;

public sealed class Krb5ConfigurationTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly CapturingLogger _logger = new();

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Password_servers_are_read_with_their_own_port_and_are_no_KDCs()
    {
        var path = Write("krb5.conf", """
            [realms]
                CONTOSO.COM = {
                    kdc = dc1.contoso.com
                    kpasswd_server = pw1.contoso.com
                    kpasswd_server = pw2.contoso.com:4464
                    admin_server = admin.contoso.com
                }
            """);
        var (passwordServers, kdcs) = (
            new Krb5ConfigurationKdcs([path], new FakeTimeProvider(), _logger, isForPasswords: true),
            new Krb5ConfigurationKdcs([path], new FakeTimeProvider(), _logger));
        (await passwordServers.FindAsync("contoso.com", TestContext.Current.CancellationToken))
            .ShouldBe([new KdcEndpoint("pw1.contoso.com", 464), new KdcEndpoint("pw2.contoso.com", 4464)]);
        (await kdcs.FindAsync("CONTOSO.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("dc1.contoso.com")]);
        (await passwordServers.FindAsync("NOWHERE.COM", TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    [Fact]
    public void The_KDCs_of_realms_are_read()
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

        configuration.GetKdcs("contoso.com").Select(kdc => kdc.ToString())
            .ShouldBe(["dc1.contoso.com:88", "dc2.contoso.com:1088", "udp/dc3.contoso.com:88", "[2001:db8::1]:88", "dc4.contoso.com:88"]);
        configuration.GetKdcs("EU.CONTOSO.COM").Select(kdc => kdc.ToString()).ShouldBe(["dc1.eu.contoso.com:88"]);
        configuration.GetKdcs("NOWHERE.COM").ShouldBeEmpty();
        _logger.Events.ShouldBeEmpty();
    }

    [Fact]
    public void Files_and_directories_are_included_without_backup_copies()
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
    public void The_KDCs_of_several_files_are_combined()
    {
        var configuration = Krb5Configuration.Load(
            [Write("a", "[libdefaults]\ndefault_realm = A.COM\n" + Realm("A.COM", "a")), Path.Combine(_directory.FullName, "missing"),
                Write("b", "[libdefaults]\ndefault_realm = B.COM\n" + Realm("A.COM", "b"))], _logger);

        configuration.GetKdcs("A.COM").Select(kdc => kdc.Host).ShouldBe(["a", "b"]);
        _logger.Events.ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_includes_itself_is_read_once_with_a_warning()
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
    [InlineData("[realms]\nA.COM = {\nkdc = a\n", "ends inside braces")]
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
    public void A_malformed_file_is_a_warning_that_names_the_line(string content, string expected)
    {
        Load(content);

        var warning = _logger.Events.ShouldHaveSingleItem();
        warning.Level.ShouldBe(LogLevel.Warning);
        warning.Text.ShouldContain(expected);
    }

    [Theory]
    [InlineData("dc1\u202e.contoso.com")]
    [InlineData("dc1\u200b:88")]
    [InlineData("http://dc1")]
    [InlineData("[fe80::1%\u202e]:88")]
    public void A_KDC_that_is_no_host_or_address_is_ignored_with_a_printable_warning(string kdc)
    {
        Load(Realm("A\u202e.COM", kdc)).GetKdcs("A\u202e.COM").ShouldBeEmpty();

        var warning = _logger.Events.ShouldHaveSingleItem();
        warning.Level.ShouldBe(LogLevel.Warning);
        warning.Text.ShouldContain(
            kdc.Replace("\u202e", "<U+202E>", StringComparison.Ordinal).Replace("\u200b", "<U+200B>", StringComparison.Ordinal));
        warning.Text.ShouldContain("the realm A<U+202E>.COM");
    }

    [Fact]
    public void A_warning_about_an_included_file_is_printable()
    {
        Load("include /nowhere/\u202e");

        _logger.Events.ShouldHaveSingleItem().Text.ShouldContain("/nowhere/<U+202E>");
    }

    [Fact]
    public void A_short_file_is_read_without_a_buffer_of_the_longest_permitted_length()
    {
        var path = Write("krb5.conf", Realm("A.COM", "a"));
        new Krb5ConfigurationReader(static _ => { }, static _ => { }).Read(path);

        var before = GC.GetAllocatedBytesForCurrentThread();
        new Krb5ConfigurationReader(static _ => { }, static _ => { }).Read(path);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(64 << 10);
    }

    /// <summary>Reads random bytes and random sequences of the tokens of the format.</summary>
    [Fact]
    public void Any_content_is_read_or_rejected_with_a_documented_exception()
    {
        string[] words = ["[realms]", "[", "]", "A.COM", " = ", "=", "{", "}", "}*", "\n", "\n", "\n", "kdc", "*", "\"", "include ",
            "includedir ", "module ", "\0", "\t", "#", ".", ":88", "udp/", "\ud800", "default_realm"];
        for (var round = 0; round < 2_000; round++)
        {
            var content = round % 4 == 0
                ? RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(200))
                : Encoding.UTF8.GetBytes(string.Concat(RandomNumberGenerator.GetItems<string>(words, RandomNumberGenerator.GetInt32(60))));
            var path = Path.Combine(_directory.FullName, "krb5.conf");
            File.WriteAllBytes(path, content);

            if (Record.Exception(() => new Krb5ConfigurationReader(static _ => { }, static _ => { }).Read(path)) is { } thrown)
                (thrown is InvalidDataException or IOException or UnauthorizedAccessException)
                    .ShouldBeTrue($"{Convert.ToHexString(content)}: {thrown}");
            Krb5Configuration.Load([path], _logger).GetKdcs("A.COM").ShouldAllBe(kdc => kdc.Port > 0);
        }
        _logger.Events.ShouldAllBe(logged => logged.Id == 2110 || logged.Id == 2111 || logged.Id == 2115);
    }

    [Theory]
    [InlineData("A.COM = { kdc = dc1.a.com }", "'{ kdc = dc1.a.com }'")]
    [InlineData("A.COM = {kdc = dc1.a.com", "'{kdc = dc1.a.com'")]
    [InlineData("A.COM = dc1.a.com", "'dc1.a.com'")]
    public void A_realm_whose_settings_are_not_between_braces_is_a_warning_and_the_next_realm_is_read(string line, string value)
    {
        var configuration = Load($"[realms]\n{line}\nB.COM = {{\nkdc = dc1.b.com\n}}\n");

        configuration.GetKdcs("A.COM").ShouldBeEmpty();
        configuration.GetKdcs("B.COM").ShouldBe([new KdcEndpoint("dc1.b.com")]);
        var warning = _logger.Events.ShouldHaveSingleItem();
        (warning.Id, warning.Level).ShouldBe((2115, LogLevel.Warning));
        warning.Text.ShouldContain($"line 2: the realm A.COM is ignored, since its value {value}");
    }

    [Fact]
    public void Settings_in_nested_braces_belong_to_no_realm_and_do_not_end_the_realm()
    {
        var configuration = Load("""
            [realms]
            A.COM = {
                auth_to_local_names = {
                    kdc = not.a.kdc
                    inner = {
                        kdc = nor.this
                    }
                }*
                kdc = dc1.a.com
                kdc = tcp/dc2.a.com
                kdc = dc3.a.com.
            } # end
            """);

        configuration.GetKdcs("A.COM").Select(kdc => kdc.ToString()).ShouldBe(["dc1.a.com:88", "dc2.a.com:88", "dc3.a.com.:88"]);
        _logger.Events.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://proxy.contoso.com")]
    [InlineData("HTTPS://proxy.contoso.com/KdcProxy")]
    public void A_KDC_proxy_is_a_warning_that_says_so(string value)
    {
        Load(Realm("A.COM", value)).GetKdcs("A.COM").ShouldBeEmpty();

        _logger.Events.ShouldHaveSingleItem().Text.ShouldEndWith("since it is a KDC proxy (MS-KKDCP), which is not supported");
    }

    [Fact]
    public void The_warnings_of_one_reading_are_bounded_and_the_rest_is_counted()
    {
        Load($"[realms]\nA.COM = {{\n{string.Concat(Enumerable.Repeat("kdc = a b!\n", 1_000))}}}\n").GetKdcs("A.COM").Count.ShouldBe(1);

        _logger.Events.Count(logged => logged.Id == 2111).ShouldBe(32);
        _logger.Events.Last().Text.ShouldEndWith("has further lines that are ignored; number of lines: 968");
    }

    [Fact]
    public void Repeated_primary_KDCs_are_kept_once()
    {
        var configuration = Load($"[realms]\nA.COM = {{\n{string.Concat(Enumerable.Repeat("master_kdc = a\n", 60_000))}}}\n");
        configuration.GetKdcs("A.COM").ShouldBe([new KdcEndpoint("a")]);

        var before = GC.GetAllocatedBytesForCurrentThread();
        configuration.GetKdcs("A.COM");

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(16 << 10);
    }

    [Fact]
    public void Comments_after_braces_sections_and_values_do_not_end_the_reading()
    {
        var configuration = Load("""
            [realms] # the realms
            	A.COM	=	{ ; the first
            		kdc	=	dc1.a.com # the first KDC
            		kdc = dc2.a.com	; the second
            		kdc = "dc3.a.com" # quoted
            	} # the end
            B.COM =
            { # on its own line
                kdc = dc1.b.com
            } ; the end
            C.COM = {
                kdc = dc1.c.com
            }
            """.Replace("\\t", "\t", StringComparison.Ordinal));

        configuration.GetKdcs("A.COM").Select(kdc => kdc.Host).ShouldBe(["dc1.a.com", "dc2.a.com", "dc3.a.com"]);
        configuration.GetKdcs("B.COM").Select(kdc => kdc.Host).ShouldBe(["dc1.b.com"]);
        configuration.GetKdcs("C.COM").Select(kdc => kdc.Host).ShouldBe(["dc1.c.com"]);
        _logger.Events.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("https://proxy.contoso.com/KdcProxy")]
    [InlineData("dc1.contoso.com:99999")]
    [InlineData("dc_1!.contoso.com")]
    public void A_KDC_value_that_is_not_a_host_is_a_warning_that_names_the_file_and_the_line(string value)
    {
        Load($"[realms]\nA.COM = {{\nkdc = {value}\nkdc = dc2.a.com\n}}\n").GetKdcs("A.COM").ShouldBe([new KdcEndpoint("dc2.a.com")]);

        var warning = _logger.Events.ShouldHaveSingleItem();
        warning.Level.ShouldBe(LogLevel.Warning);
        warning.Text.ShouldContain($"{Path.Combine(_directory.FullName, "krb5.conf")}, line 3: the value '{value}' of kdc");
    }

    [Fact]
    public void The_primary_KDC_is_used_after_the_others()
    {
        var configuration = Load("""
            [realms]
            A.COM = {
                master_kdc = dc1.a.com
                kdc = dc2.a.com
                kdc = dc1.a.com:1088
            }
            B.COM = {
                primary_kdc = dc1.b.com
            }
            """);

        configuration.GetKdcs("A.COM").Select(kdc => kdc.ToString()).ShouldBe(["dc2.a.com:88", "dc1.a.com:1088", "dc1.a.com:88"]);
        configuration.GetKdcs("B.COM").ShouldBe([new KdcEndpoint("dc1.b.com")]);
        _logger.Events.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("[realms]*\nA.COM = {\nkdc = a\n}\n")]
    [InlineData("[realms]\nA.COM = {\nkdc = a\n}*\n")]
    [InlineData("[realms]\nA.COM* = {\nkdc = a\n}\n")]
    [InlineData("[realms]\nA.COM = {\nkdc* = a\n}\n")]
    public void A_later_file_cannot_add_to_what_an_asterisk_marks_as_final(string first)
    {
        var configuration = Krb5Configuration.Load([Write("a", first), Write("b", Realm("A.COM", "b"))], _logger);

        configuration.GetKdcs("A.COM").Select(kdc => kdc.Host).ShouldBe(["a"]);
        _logger.Events.ShouldBeEmpty();
    }

    [Fact]
    public void An_included_file_that_cannot_be_read_does_not_end_the_reading()
    {
        Write("bad", "[realms]\n}\n");

        Load($"include {_directory.FullName}/missing\ninclude bad\nincludedir {_directory.FullName}/nowhere\n{Realm("A.COM", "a")}")
            .GetKdcs("A.COM").Select(kdc => kdc.Host).ShouldBe(["a"]);

        _logger.Events.Select(logged => logged.Text).ShouldSatisfyAllConditions(
            texts => texts.Count().ShouldBe(3),
            texts => texts.ElementAt(0).ShouldContain("at line 1"),
            texts => texts.ElementAt(1).ShouldContain("bad is malformed at line 2"),
            texts => texts.ElementAt(2).ShouldContain("nowhere at line 3"));
    }

    [Fact]
    public void A_device_and_a_file_that_is_too_large_are_not_read()
    {
        if (OperatingSystem.IsWindows())
            return;
        File.CreateSymbolicLink(Path.Combine(_directory.FullName, "link"), "/dev/zero");
        Write("large", new string('#', (1 << 20) + 1));

        Load($"include /dev/zero\ninclude link\ninclude large\n{Realm("A.COM", "a")}").GetKdcs("A.COM").Count.ShouldBe(1);

        _logger.Events.ShouldHaveSingleItem().Text.ShouldContain("is larger than 1048576 bytes");
    }

    [Fact]
    public void Sixty_thousand_KDCs_of_one_realm_are_bounded_with_a_warning()
    {
        var lines = string.Concat(Enumerable.Range(0, 60_000).Select(i => $"kdc = a{i}\n"));
        var start = System.Diagnostics.Stopwatch.GetTimestamp();

        var kdcs = Load($"[realms]\nA.COM = {{\n{lines}}}\n").GetKdcs("A.COM");

        System.Diagnostics.Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(2));
        kdcs.Count.ShouldBe(64);
        kdcs[63].Host.ShouldBe("a63");
        _logger.Events.ShouldHaveSingleItem().Text.ShouldContain("lists 60000 KDCs of A.COM; the first 64 are used");
    }

    [Fact]
    public async Task Sixty_thousand_KDCs_in_the_options_are_bounded_with_a_warning()
    {
        var source = new StaticKdcs([new("A.COM", Enumerable.Range(0, 60_000).Select(i => new KdcEndpoint($"a{i}")).ToList())], _logger);

        (await source.FindAsync("A.COM", TestContext.Current.CancellationToken)).Count.ShouldBe(64);
        _logger.Events.ShouldHaveSingleItem().Text.ShouldContain("lists 60000 KDCs of A.COM");
    }

    [Fact]
    public async Task The_file_is_read_again_after_a_minute()
    {
        var time = new FakeTimeProvider();
        var path = Write("krb5.conf", Realm("A.COM", "old"));
        var locator = new Krb5ConfigurationKdcs([path], time, _logger);
        (await locator.FindAsync("A.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("old")]);

        Write("krb5.conf", Realm("A.COM", "new"));
        (await locator.FindAsync("A.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("old")]);
        time.Advance(TimeSpan.FromMinutes(1));

        (await locator.FindAsync("A.COM", TestContext.Current.CancellationToken)).ShouldBe([new KdcEndpoint("new")]);
    }

    [Fact]
    public async Task The_options_precede_krb5_conf_and_an_empty_source_is_skipped()
    {
        var list = new Dictionary<string,
            IReadOnlyList<KdcEndpoint>>(StringComparer.Ordinal) { ["A.com"] = [new("static")], ["EMPTY.COM"] = [] };
        var file = new Krb5ConfigurationKdcs([Write("krb5.conf", Realm("A.COM", "file") + "\n" + Realm("EMPTY.COM", "file"))],
            TimeProvider.System, _logger);
        var locator = new FirstKnownKdcs(new StaticKdcs(list, _logger), file);

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
