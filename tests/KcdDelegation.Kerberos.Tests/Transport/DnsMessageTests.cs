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
    public void A_name_that_is_not_a_valid_DNS_name_has_no_query(string name) => DnsMessage.EncodeQuery(1, name).ShouldBeNull();

    [Fact]
    public void Records_are_read_with_every_field()
    {
        var answer = DnsAnswers.To(Query, DnsAnswers.Srv(10, 20, 88, "dc1.contoso.com", ttl: 7), DnsAnswers.Srv(0, 0, 1088, "."));

        DnsMessage.IsAnswerTo(answer, Query).ShouldBeTrue();
        DnsMessage.IsTruncated(answer).ShouldBeFalse();
        DnsMessage.ReadAnswer(answer, Query).ShouldBe(
        [
            new SrvRecord(10, 20, 88, "dc1.contoso.com", TimeSpan.FromSeconds(7)),
            new SrvRecord(0, 0, 1088, "", TimeSpan.FromSeconds(600)),
        ]);
    }

    [Fact]
    public void An_alias_is_followed_and_records_of_other_names_are_ignored()
    {
        var alias = DnsAnswers.Record([0xc0, 12], 5, 60, DnsAnswers.Name("srv.contoso.com"));
        var target = DnsAnswers.Record(DnsAnswers.Name("SRV.contoso.com"), 33, 60,
            [0, 1, 0, 2, 0, 88, .. DnsAnswers.Name("dc2.contoso.com")]);
        var other = DnsAnswers.Record(DnsAnswers.Name("evil.example"), 33, 60, [0, 1, 0, 2, 0, 88, .. DnsAnswers.Name("dc.evil.example")]);

        DnsMessage.ReadAnswer(DnsAnswers.To(Query, other, alias, target), Query).ShouldHaveSingleItem().Target.ShouldBe("dc2.contoso.com");
    }

    [Fact]
    public void A_name_that_does_not_exist_has_no_records() => DnsMessage.ReadAnswer(DnsAnswers.WithCode(Query, 3), Query).ShouldBeEmpty();

    [Fact]
    public void An_error_code_of_the_server_is_reported() =>
        Should.Throw<InvalidDataException>(() => DnsMessage.ReadAnswer(DnsAnswers.WithCode(Query, 5), Query))
            .Message.ShouldBe("answered with DNS error 5");

    [Fact]
    public void A_packet_with_another_identifier_question_or_type_is_not_the_answer()
    {
        var answer = DnsAnswers.To(Query);
        DnsMessage.IsAnswerTo(answer, Query).ShouldBeTrue();
        foreach (var index in new[] { 0, 1, 2, 5, 20, answer.Length - 1 })
        {
            var other = answer.ToArray();
            other[index] ^= 0x81;
            DnsMessage.IsAnswerTo(other, Query).ShouldBeFalse($"byte {index}");
        }
        DnsMessage.IsAnswerTo(answer.AsSpan(0, answer.Length - 1), Query).ShouldBeFalse();
        DnsMessage.IsAnswerTo(Query, Query).ShouldBeFalse();
    }

    [Fact]
    public void Pointers_that_form_a_cycle_or_point_forward_are_rejected()
    {
        var self = (byte)Query.Length;
        Should.Throw<InvalidDataException>(() => Read(DnsAnswers.Record([0xc0, self], 33, 1, []))).Message.ShouldContain("points forward");
        Should.Throw<InvalidDataException>(() => Read(DnsAnswers.Record([0xc0, (byte)(self + 2)], 33, 1, [])))
            .Message.ShouldContain("points forward");

        static IReadOnlyList<SrvRecord> Read(byte[] record) => DnsMessage.ReadAnswer(DnsAnswers.To(Query, record), Query);
    }

    [Fact]
    public void Names_and_alias_chains_are_bounded()
    {
        var longName = DnsAnswers.Name(string.Join('.',
            Enumerable.Repeat("a234567890123456789012345678901234567890123456789012345678901", 5)));
        Should.Throw<InvalidDataException>(() => DnsMessage.ReadAnswer(DnsAnswers.To(Query, DnsAnswers.Record(longName, 33, 1, [])), Query))
            .Message.ShouldContain("too long");

        var cycle = Enumerable.Repeat(DnsAnswers.Record([0xc0, 12], 5, 60, [0xc0, 12]), 20).ToArray();
        Should.Throw<InvalidDataException>(() => DnsMessage.ReadAnswer(DnsAnswers.To(Query, cycle), Query))
            .Message.ShouldContain("too many DNS aliases");
    }

    [Fact]
    public void A_name_with_a_long_chain_of_pointers_is_rejected_before_the_chain_is_followed_for_each_record()
    {
        // Each pointer points to the one before it, and the owner of each record to the last one.
        var chain = new List<byte> { 1, (byte)'a', 0 };
        var first = Query.Length + 12;
        for (var at = first + 3; at < 0x3000; at += 2)
            chain.AddRange([(byte)(0xc0 | ((at == first + 3 ? first : at - 2) >> 8)), (byte)(at == first + 3 ? first : at - 2)]);
        var last = first + chain.Count - 2;
        var records = Enumerable.Repeat(DnsAnswers.Record([(byte)(0xc0 | (last >> 8)), (byte)last], 1, 60, []), 4000);
        var answer = DnsAnswers.To(Query, [DnsAnswers.Record([0xc0, 12], 16, 60, [.. chain]), .. records]);
        answer.Length.ShouldBeLessThan(1 << 16);

        Should.Throw<InvalidDataException>(() => DnsMessage.ReadAnswer(answer, Query)).Message.ShouldContain("too many pointers");
    }

    [Fact]
    public void Characters_that_are_not_valid_in_a_host_name_are_replaced()
    {
        byte[] target = [7, (byte)'d', (byte)'\n', 0x1b, (byte)'.', (byte)'/', 0xff, (byte)'c', 0];

        DnsMessage.ReadAnswer(DnsAnswers.To(Query, DnsAnswers.Record([0xc0, 12], 33, 1, [0, 1, 0, 2, 0, 88, .. target])), Query)
            .ShouldHaveSingleItem().Target.ShouldBe("d?????c");
    }

    [Fact]
    public void Truncated_and_mutated_answers_are_decoded_or_rejected()
    {
        var alias = DnsAnswers.Record([0xc0, 12], 5, 60, DnsAnswers.Name("srv.contoso.com"));
        var target = DnsAnswers.Record(DnsAnswers.Name("srv.contoso.com"), 33, 60,
            [0, 1, 0, 2, 0, 88, 3, (byte)'d', (byte)'c', (byte)'2', 0xc0, 27]);
        var sample = DnsAnswers.To(Query, DnsAnswers.Srv(1, 2, 88, "dc1.contoso.com"), alias, target);
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
