using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Tests.Files;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Kerberos.Tests;

public sealed class ServiceAccountTests : IDisposable
{
    private const string Realm = "CONTOSO.COM";
    private const EncryptionType Aes128 = EncryptionType.Aes128CtsHmacSha1;
    private const EncryptionType Aes256 = EncryptionType.Aes256CtsHmacSha1;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly CapturingLogger _logger = new();

    private string FilePath => Path.Combine(_directory.FullName, "gw.keytab");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("gw@CONTOSO.COM")]
    [InlineData("HTTP/")]
    [InlineData("gw\n")]
    public void What_is_not_an_account_name_is_refused_at_once(string name)
    {
        Should.Throw<ArgumentException>(() => ServiceAccount.FromKeytab(name, FilePath));
        Should.Throw<ArgumentException>(() => ServiceAccount.FromPassword(name, "secret"));
        Should.Throw<ArgumentException>(() => ServiceAccount.FromPasswordFile(name, FilePath));
    }

    [Fact]
    public void A_keytab_offers_the_types_of_its_newest_version_only()
    {
        Write(Entry(3, Aes128, 3), Entry(3, EncryptionType.Aes256CtsHmacSha384, 3), Entry(4, Aes256, 4), Entry(4, Aes128, 4));
        using var account = ServiceAccount.FromKeytab("gw", FilePath);

        account.Keys.AvailableTypes(Realm).ShouldBe([Aes256, Aes128]);
        Fill(account.Keys.GetLogOnKey(Realm, Aes256, "ignored", 0)).ShouldBe((byte)4);
        Should.Throw<KerberosException>(() => account.Keys.GetLogOnKey(Realm, EncryptionType.Aes256CtsHmacSha384, "", 0))
            .Message.ShouldContain("aes256-cts-hmac-sha384-192");
    }

    [Fact]
    public void A_ticket_is_opened_with_the_version_it_names_or_with_any_where_that_is_not_there()
    {
        Write(Entry(3, Aes256, 3), Entry(4, Aes256, 4));
        using var account = ServiceAccount.FromKeytab("gw", FilePath);

        TicketKeys(account, kvno: 3).ShouldBe([3]);
        TicketKeys(account, kvno: null).ShouldBe([4, 3]);
        TicketKeys(account, kvno: 9).ShouldBe([4, 3]);
        account.Keys.GetTicketKeys(Realm, Aes128, 3, _logger).ShouldBeEmpty();
    }

    [Fact]
    public void A_keytab_that_does_not_exist_is_an_error_that_names_it()
    {
        using var account = ServiceAccount.FromKeytab("gw", FilePath);

        var error = Should.Throw<KerberosException>(() => account.Keys.Refresh(_logger));

        error.Exchange.ShouldBe(KerberosExchange.Configuration);
        error.Reason.ShouldBe(KerberosFailureReason.KeyUnavailable);
        error.Account.ShouldBe("gw");
        error.IsTransient.ShouldBeFalse();
        error.Detail.ShouldBe($"{FilePath} does not exist");
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("0502", "has no entries")]
    [InlineData("0501", "is a keytab of version 0501")]
    [InlineData("0502000000100001", "is truncated")]
    public void An_invalid_keytab_is_an_error_with_its_cause(string hex, string why)
    {
        File.WriteAllBytes(FilePath, Convert.FromHexString(hex));
        using var account = ServiceAccount.FromKeytab("gw", FilePath);

        var error = Should.Throw<KerberosException>(() => account.Keys.AvailableTypes(Realm));

        error.Reason.ShouldBe(KerberosFailureReason.KeyUnavailable);
        error.Message.ShouldContain($"{FilePath} {why}");
    }

    [Fact]
    public void A_keytab_of_other_accounts_is_an_error_that_lists_its_principals()
    {
        File.WriteAllBytes(FilePath, KeytabSamples.FromKtutil);
        using var account = ServiceAccount.FromKeytab("gw", FilePath);

        Should.Throw<KerberosException>(() => account.Keys.AvailableTypes(Realm)).Detail
            .ShouldContain("no entry for gw@CONTOSO.COM; it has keys of HTTP/gw.contoso.com@CONTOSO.COM, CONNECTOR$@CONTOSO.COM");
    }

    [Fact]
    public void A_keytab_with_keys_of_RC4_only_is_an_error_that_names_the_remedy()
    {
        // The AES entry of the sample is the last one: it gets a type that is not implemented.
        var file = KeytabSamples.FromKtutil;
        file[^23] = 3;
        File.WriteAllBytes(FilePath, file);
        using var account = ServiceAccount.FromKeytab("CONNECTOR$", FilePath);

        var detail = Should.Throw<KerberosException>(() => account.Keys.AvailableTypes(Realm)).Detail;

        detail.ShouldContain("has only rc4-hmac, des-cbc-md5 keys of version 4");
        detail.ShouldContain("msDS-SupportedEncryptionTypes");
    }

    [Fact]
    public void A_replaced_keytab_is_read_at_the_next_refresh_and_its_version_grows()
    {
        Write(Entry(3, Aes256, 3));
        using var account = ServiceAccount.FromKeytab("gw", FilePath);
        account.Keys.Refresh(_logger);
        var before = account.Keys.Version;
        var key = account.Keys.GetLogOnKey(Realm, Aes256, "", 0);

        Write(Entry(3, Aes256, 3), Entry(4, Aes256, 4));
        account.Keys.Refresh(_logger);

        account.Keys.Version.ShouldBeGreaterThan(before);
        Fill(account.Keys.GetLogOnKey(Realm, Aes256, "", 0)).ShouldBe((byte)4);
        // An exchange under way goes on with the key it has.
        Fill(key).ShouldBe((byte)3);
    }

    [Fact]
    public void A_ticket_of_a_version_that_is_missing_makes_the_keytab_be_read_again()
    {
        Write(Entry(3, Aes256, 3));
        using var account = ServiceAccount.FromKeytab("gw", FilePath);
        TicketKeys(account, kvno: 3).ShouldBe([3]);

        Write(Entry(3, Aes256, 3), Entry(4, Aes256, 4));

        TicketKeys(account, kvno: 4).ShouldBe([4]);
    }

    [Fact]
    public void A_touched_keytab_with_the_same_keys_does_not_count_as_changed()
    {
        Write(Entry(3, Aes256, 3));
        using var account = ServiceAccount.FromKeytab("gw", FilePath);
        account.Keys.Refresh(_logger);
        var before = account.Keys.Version;

        File.SetLastWriteTimeUtc(FilePath, KeytabSamples.Written.UtcDateTime);
        account.Keys.Refresh(_logger);

        account.Keys.Version.ShouldBe(before);
    }

    [Fact]
    public void A_missing_or_truncated_keytab_leaves_the_old_keys_in_use_with_a_warning()
    {
        Write(Entry(3, Aes256, 3));
        using var account = ServiceAccount.FromKeytab("gw", FilePath);
        account.Keys.Refresh(_logger);
        var before = account.Keys.Version;

        File.Delete(FilePath);
        account.Keys.Refresh(_logger);
        File.WriteAllBytes(FilePath, KeytabSamples.FromKtutil[..50]);
        account.Keys.Refresh(_logger);

        account.Keys.Version.ShouldBe(before);
        Fill(account.Keys.GetLogOnKey(Realm, Aes256, "", 0)).ShouldBe((byte)3);
        _logger.Events.Where(e => e.Level == LogLevel.Warning).Select(e => e.Text).ShouldSatisfyAllConditions(
            warnings => warnings.Count().ShouldBe(2),
            warnings => warnings.First().ShouldContain("does not exist"),
            warnings => warnings.Last().ShouldContain("is truncated"));
    }

    [Fact]
    public void A_key_file_that_others_may_read_is_a_warning()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("File modes are of Unix.");
            return;
        }
        Write(Entry(3, Aes256, 3));
        using var account = ServiceAccount.FromKeytab("gw", FilePath);
        account.Keys.Refresh(_logger);
        _logger.Events.ShouldNotContain(e => e.Level == LogLevel.Warning);

        Write(Entry(4, Aes256, 4));
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        account.Keys.Refresh(_logger);

        _logger.Events.Where(e => e.Level == LogLevel.Warning).ShouldHaveSingleItem().Text.ShouldContain("mode 404");
    }

    [Fact]
    public void After_disposal_the_keys_are_gone()
    {
        Write(Entry(3, Aes256, 3));
        var account = ServiceAccount.FromKeytab("gw", FilePath);
        var key = account.Keys.GetLogOnKey(Realm, Aes256, "", 0);

        account.Dispose();

        Should.Throw<ObjectDisposedException>(() => Fill(key));
        Should.Throw<ObjectDisposedException>(() => account.Keys.Refresh(_logger));
        Should.Throw<ObjectDisposedException>(() => account.Keys.GetLogOnKey(Realm, Aes256, "", 0));
    }

    [Fact]
    public void A_password_makes_a_key_of_any_type_and_makes_it_once()
    {
        using var account = ServiceAccount.FromPassword("gw", "password");

        account.Keys.AvailableTypes(Realm).ShouldBeNull();
        // RFC 3962 Appendix B: two rounds, 128 bits.
        var key = account.Keys.GetLogOnKey(Realm, Aes128, "ATHENA.MIT.EDUraeburn", 2);
        Convert.ToHexStringLower(key.Bytes).ShouldBe("c651bf29e2300ac27fa469d693bdda13");
        account.Keys.GetLogOnKey(Realm, Aes128, "ATHENA.MIT.EDUraeburn", 2).ShouldBeSameAs(key);
        account.Keys.GetLogOnKey(Realm, Aes128, "ATHENA.MIT.EDUraeburn", 3).ShouldNotBeSameAs(key);
        account.Keys.Version.ShouldBe(0);
    }

    [Fact]
    public void A_password_opens_tickets_of_any_type_under_the_salt_of_the_last_log_on()
    {
        using var account = ServiceAccount.FromPassword("gw", "password");
        account.Keys.GetTicketKeys(Realm, Aes256, 4, _logger).ShouldBeEmpty();

        var logOn = account.Keys.GetLogOnKey(Realm, Aes128, "CONTOSO.COMgw", 4096);

        account.Keys.GetTicketKeys(Realm, Aes128, 4, _logger).ShouldHaveSingleItem().ShouldBeSameAs(logOn);
        account.Keys.GetTicketKeys(Realm, Aes256, 4, _logger).ShouldHaveSingleItem()
            .ShouldBeSameAs(account.Keys.GetLogOnKey(Realm, Aes256, "CONTOSO.COMgw", 4096));
        account.Keys.GetTicketKeys("OTHER.COM", Aes128, 4, _logger).ShouldBeEmpty();
        account.Keys.GetTicketKeys(Realm, EncryptionType.Rc4Hmac, 4, _logger).ShouldBeEmpty();
    }

    [Fact]
    public void However_many_salts_a_KDC_names_a_bounded_number_is_remembered()
    {
        using var account = ServiceAccount.FromPassword("gw", "password");
        var first = account.Keys.GetLogOnKey(Realm, Aes128, "0", 1);

        for (var salt = 1; salt < 100; salt++)
            account.Keys.GetLogOnKey(Realm, Aes128, $"{salt}", 1);

        account.Keys.GetTicketKeys(Realm, Aes128, null, _logger).Count.ShouldBeLessThan(50);
        account.Keys.GetLogOnKey(Realm, Aes128, "0", 1).ShouldNotBeSameAs(first);
    }

    [Theory]
    [InlineData("p\u00e4ssword\u20ac")]
    [InlineData("p\u00e4ssword\u20ac\n")]
    [InlineData("p\u00e4ssword\u20ac\r\n")]
    [InlineData("\uFEFFp\u00e4ssword\u20ac")]
    public void A_password_file_is_UTF8_and_one_line_end_is_not_part_of_it(string content)
    {
        File.WriteAllText(FilePath, content);
        using var account = ServiceAccount.FromPasswordFile("gw", FilePath);
        using var same = ServiceAccount.FromPassword("gw", "p\u00e4ssword\u20ac");

        account.Keys.GetLogOnKey(Realm, Aes128, "salt", 1).Bytes.ToArray()
            .ShouldBe(same.Keys.GetLogOnKey(Realm, Aes128, "salt", 1).Bytes.ToArray());
    }

    [Fact]
    public void A_second_line_end_and_blanks_are_part_of_the_password()
    {
        File.WriteAllText(FilePath, " secret \n\n");
        using var account = ServiceAccount.FromPasswordFile("gw", FilePath);
        using var same = ServiceAccount.FromPassword("gw", " secret \n");

        account.Keys.GetLogOnKey(Realm, Aes128, "salt", 1).Bytes.ToArray()
            .ShouldBe(same.Keys.GetLogOnKey(Realm, Aes128, "salt", 1).Bytes.ToArray());
    }

    [Theory]
    [InlineData("0a", "empty password")]
    [InlineData("ff41", "not UTF-8")]
    public void A_file_without_a_password_is_an_error_with_its_cause(string hex, string why)
    {
        File.WriteAllBytes(FilePath, Convert.FromHexString(hex));
        using var account = ServiceAccount.FromPasswordFile("gw", FilePath);

        Should.Throw<KerberosException>(() => account.Keys.Refresh(NullLogger.Instance)).Detail.ShouldContain(why);
    }

    [Fact]
    public void A_changed_password_file_is_a_new_key()
    {
        File.WriteAllText(FilePath, "old");
        using var account = ServiceAccount.FromPasswordFile("gw", FilePath);
        var old = account.Keys.GetLogOnKey(Realm, Aes128, "salt", 1);
        var before = account.Keys.Version;

        File.WriteAllText(FilePath, "newer");
        account.Keys.Refresh(_logger);

        account.Keys.Version.ShouldBeGreaterThan(before);
        account.Keys.GetLogOnKey(Realm, Aes128, "salt", 1).Bytes.ToArray().ShouldNotBe(old.Bytes.ToArray());
    }

    private static KeytabEntry Entry(uint kvno, EncryptionType type, byte fill) => KeytabSamples.Entry("gw", kvno, type, fill);

    private static byte Fill(KerberosKey key) => key.Bytes[0];

    private List<byte> TicketKeys(ServiceAccount account, uint? kvno) =>
        account.Keys.GetTicketKeys(Realm, Aes256, kvno, _logger).Select(Fill).ToList();

    private void Write(params KeytabEntry[] entries)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(FilePath, options);
        file.Write(KeytabSamples.Bytes(entries));
    }
}
