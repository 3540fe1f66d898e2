using System.Security.Cryptography;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Tests.Transport;

public sealed class DnsMessageTests
{
    private static readonly byte[] Query = DnsMessage.EncodeQuery(0x1234, "_kerberos._tcp.CONTOSO.COM")!;

    [Fact]
    public void A_query_asks_one_question() =>
        Convert.ToHexStringLower(Query).ShouldBe(
            "1234" + "0100" + "0001" + "0000" + "0000" + "0000"
            + "095f6b65726265726f73" + "045f746370" + "07434f4e544f534f" + "03434f4d" + "00" + "0021" + "0001");

    [Theory]
    [InlineData("_kerberos._tcp.")]
    [InlineData("_kerberos._tcp.a..b")]
    [InlineData("_kerberos._tcp.O=Contoso,C=DE")]
    [InlineData("_kerberos._tcp.caf\u00e9")]
    [InlineData("_kerberos._tcp.a234567890123456789012345678901234567890123456789012345678901234")]
    public void What_cannot_be_a_name_in_DNS_is_not_asked_for(string name) => DnsMessage.EncodeQuery(1, name).ShouldBeNull();

    [Fact]
    public void Records_are_read_with_every_field()
    {
        var answer = DnsAnswers.To(Query, DnsAnswers.Srv(10, 20, 88, "dc1.contoso.com", ttl: 7), DnsAnswers.Srv(0, 0, 1088, "."));

        DnsMessage.Answers(answer, Query).ShouldBeTrue();
        DnsMessage.IsTruncated(answer).ShouldBeFalse();
        DnsMessage.ReadAnswer(answer, Query).ShouldBe(
        [
            new SrvRecord(10, 20, 88, "dc1.contoso.com", TimeSpan.FromSeconds(7)),
            new SrvRecord(0, 0, 1088, "", TimeSpan.FromSeconds(600)),
        ]);
    }

    [Fact]
    public void An_alias_is_followed_and_records_of_other_names_are_not_taken()
    {
        var alias = DnsAnswers.Record([0xc0, 12], 5, 60, DnsAnswers.Name("srv.contoso.com"));
        var behind = DnsAnswers.Record(DnsAnswers.Name("SRV.contoso.com"), 33, 60, [0, 1, 0, 2, 0, 88, .. DnsAnswers.Name("dc2.contoso.com")]);
        var other = DnsAnswers.Record(DnsAnswers.Name("evil.example"), 33, 60, [0, 1, 0, 2, 0, 88, .. DnsAnswers.Name("dc.evil.example")]);

        DnsMessage.ReadAnswer(DnsAnswers.To(Query, other, alias, behind), Query).ShouldHaveSingleItem().Target.ShouldBe("dc2.contoso.com");
    }

    [Fact]
    public void A_name_that_does_not_exist_has_no_records() => DnsMessage.ReadAnswer(DnsAnswers.WithCode(Query, 3), Query).ShouldBeEmpty();

    [Fact]
    public void A_server_that_fails_or_refuses_is_no_answer() =>
        Should.Throw<InvalidDataException>(() => DnsMessage.ReadAnswer(DnsAnswers.WithCode(Query, 5), Query)).Message.ShouldBe("answered with DNS error 5");

    [Fact]
    public void Another_identifier_question_or_kind_of_packet_is_not_the_answer()
    {
        var answer = DnsAnswers.To(Query);
        DnsMessage.Answers(answer, Query).ShouldBeTrue();
        foreach (var place in new[] { 0, 1, 2, 5, 20, answer.Length - 1 })
        {
            var other = answer.ToArray();
            other[place] ^= 0x81;
            DnsMessage.Answers(other, Query).ShouldBeFalse($"byte {place}");
        }
        DnsMessage.Answers(answer.AsSpan(0, answer.Length - 1), Query).ShouldBeFalse();
        DnsMessage.Answers(Query, Query).ShouldBeFalse();
    }

    [Fact]
    public void Pointers_that_go_round_or_forward_are_refused()
    {
        var self = (byte)Query.Length;
        Should.Throw<InvalidDataException>(() => Read(DnsAnswers.Record([0xc0, self], 33, 1, []))).Message.ShouldContain("points forward");
        Should.Throw<InvalidDataException>(() => Read(DnsAnswers.Record([0xc0, (byte)(self + 2)], 33, 1, []))).Message.ShouldContain("points forward");

        static IReadOnlyList<SrvRecord> Read(byte[] record) => DnsMessage.ReadAnswer(DnsAnswers.To(Query, record), Query);
    }

    [Fact]
    public void Names_and_alias_chains_are_bounded()
    {
        var longName = DnsAnswers.Name(string.Join('.', Enumerable.Repeat("a234567890123456789012345678901234567890123456789012345678901", 5)));
        Should.Throw<InvalidDataException>(() => DnsMessage.ReadAnswer(DnsAnswers.To(Query, DnsAnswers.Record(longName, 33, 1, [])), Query))
            .Message.ShouldContain("too long");

        var roundabout = Enumerable.Repeat(DnsAnswers.Record([0xc0, 12], 5, 60, [0xc0, 12]), 20).ToArray();
        Should.Throw<InvalidDataException>(() => DnsMessage.ReadAnswer(DnsAnswers.To(Query, roundabout), Query)).Message.ShouldContain("without end");
    }

    [Fact]
    public void Letters_that_belong_in_no_host_name_come_out_harmless()
    {
        byte[] target = [7, (byte)'d', (byte)'\n', 0x1b, (byte)'.', (byte)'/', 0xff, (byte)'c', 0];

        DnsMessage.ReadAnswer(DnsAnswers.To(Query, DnsAnswers.Record([0xc0, 12], 33, 1, [0, 1, 0, 2, 0, 88, .. target])), Query)
            .ShouldHaveSingleItem().Target.ShouldBe("d?????c");
    }

    [Fact]
    public void Cut_and_mutated_answers_are_read_or_refused_and_nothing_else()
    {
        var alias = DnsAnswers.Record([0xc0, 12], 5, 60, DnsAnswers.Name("srv.contoso.com"));
        var behind = DnsAnswers.Record(DnsAnswers.Name("srv.contoso.com"), 33, 60, [0, 1, 0, 2, 0, 88, 3, (byte)'d', (byte)'c', (byte)'2', 0xc0, 27]);
        var sample = DnsAnswers.To(Query, DnsAnswers.Srv(1, 2, 88, "dc1.contoso.com"), alias, behind);
        DnsMessage.ReadAnswer(sample, Query).Count.ShouldBe(2);

        for (var length = Query.Length; length < sample.Length; length++)
            Should.Throw<InvalidDataException>(() => DnsMessage.ReadAnswer(sample.AsSpan(0, length), Query));
        for (var round = 0; round < 50_000; round++)
        {
            var mutated = sample.ToArray();
            for (var change = RandomNumberGenerator.GetInt32(1, 4); change > 0; change--)
                mutated[RandomNumberGenerator.GetInt32(12, mutated.Length)] = (byte)RandomNumberGenerator.GetInt32(256);
            try
            {
                DnsMessage.ReadAnswer(mutated, Query).Count.ShouldBeLessThanOrEqualTo(3);
            }
            catch (InvalidDataException refused)
            {
                refused.Message.ShouldNotBeEmpty();
            }
        }
    }
}
