using System.Formats.Asn1;
using System.Text;

namespace KcdDelegation.DirectoryServices.Tests.Messages;

/// <summary>The encoding and the text of filters (RFC 4511 §4.5.1.7, RFC 4515).</summary>
public sealed class LdapFilterTests
{
    public static TheoryData<LdapFilter, string, string> Vectors => new()
    {
        // Encodings written by hand from RFC 4511 Appendix B.
        { LdapFilter.Present("cn"), "8702636E", "(cn=*)" },
        { LdapFilter.Equal("cn", "ada"), "A3090402636E0403616461", "(cn=ada)" },
        { LdapFilter.GreaterOrEqual("n", "1"), "A50604016E040131", "(n>=1)" },
        { LdapFilter.LessOrEqual("n", "1"), "A60604016E040131", "(n<=1)" },
        { LdapFilter.StartsWith("cn", "a"), "A4090402636E3003800161", "(cn=a*)" },
        { LdapFilter.Not(LdapFilter.Present("cn")), "A2048702636E", "(!(cn=*))" },
        { LdapFilter.All(LdapFilter.Present("a"), LdapFilter.Present("b")), "A006870161870162", "(&(a=*)(b=*))" },
        { LdapFilter.Any(LdapFilter.Present("a"), LdapFilter.Present("b")), "A106870161870162", "(|(a=*)(b=*))" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_filter_has_the_encoding_and_the_text_of_the_RFC(LdapFilter filter, string encoding, string text)
    {
        filter.ToString().ShouldBe(text);
        Convert.ToHexString(Encode(filter)).ShouldBe(encoding);
    }

    [Fact]
    public void A_chain_names_the_rule_the_attribute_and_the_name()
    {
        LdapFilter.ReachedFrom("m", "x").ToString().ShouldBe("(m:1.2.840.113556.1.4.1941:=x)");
        var fields = new AsnReader(Encode(LdapFilter.ReachedFrom("member", "CN=ü")), AsnEncodingRules.DER)
            .ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 9));

        Read(1).ShouldBe("1.2.840.113556.1.4.1941");
        Read(2).ShouldBe("member");
        Read(3).ShouldBe("CN=ü");
        fields.HasData.ShouldBeFalse();

        string Read(int number) => Encoding.UTF8.GetString(fields.ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, number)));
    }

    [Theory]
    [InlineData("*", "\\2a")]
    [InlineData("a)(uid=*", "a\\29\\28uid=\\2a")]
    [InlineData("\\", "\\5c")]
    [InlineData("\0", "\\00")]
    [InlineData("ü", "\\c3\\bc")]
    [InlineData("a\r\nb", "a\\0d\\0ab")]
    [InlineData("\u202e", "\\e2\\80\\ae")]
    public void A_value_is_sent_as_it_is_and_escaped_in_the_text_only(string value, string text)
    {
        var filter = LdapFilter.Equal("cn", value);

        filter.ToString().ShouldBe($"(cn={text})");
        var fields = new AsnReader(Encode(filter), AsnEncodingRules.DER).ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3));
        fields.ReadOctetString().ShouldBe("cn"u8.ToArray());
        fields.ReadOctetString().ShouldBe(Encoding.UTF8.GetBytes(value));
        fields.HasData.ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("cn=*)(uid")]
    [InlineData("cn)")]
    [InlineData("c n")]
    [InlineData("cn*")]
    [InlineData("çn")]
    [InlineData("cn\0")]
    public void An_attribute_that_is_no_name_is_refused_by_every_filter(string attribute)
    {
        foreach (var create in (Func<LdapFilter>[])
        [
            () => LdapFilter.Present(attribute), () => LdapFilter.Equal(attribute, "x"), () => LdapFilter.Equal(attribute, "x"u8),
            () => LdapFilter.GreaterOrEqual(attribute, "x"), () => LdapFilter.LessOrEqual(attribute, "x"),
            () => LdapFilter.StartsWith(attribute, "x"), () => LdapFilter.ReachedFrom(attribute, "x"),
        ])
            Should.Throw<ArgumentException>(create);
    }

    [Fact]
    public void A_combination_of_nothing_and_a_start_of_nothing_are_refused()
    {
        Should.Throw<ArgumentException>(() => LdapFilter.All());
        Should.Throw<ArgumentException>(() => LdapFilter.Any());
        Should.Throw<ArgumentException>(() => LdapFilter.StartsWith("cn", ""));
    }

    private static byte[] Encode(LdapFilter filter)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        filter.Write(writer);
        return writer.Encode();
    }
}
