using System.Buffers.Binary;
using System.Net.Sockets;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Tests;

public sealed class KdcFaultTests
{
    private const string Password = "correct horse";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fault_happens_the_given_number_of_times_and_is_in_the_transcript()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password)
            .Fail(KdcFault.Unavailable, KerberosExchange.LogOn, times: 2);
        var client = new WireClient(realm, "gw", Password);
        for (var i = 0; i < 2; i++)
            WireClient.ShouldBeError(await client.AskAsync(client.AsBody()), KerberosErrorCode.ServiceUnavailable);
        WireClient.ShouldBeError(await client.AskAsync(client.AsBody()), KerberosErrorCode.PreAuthenticationRequired);
        realm.Transcript.ShouldBe(["AS gw KDC_ERR_SVC_UNAVAILABLE [error 29]", "AS gw KDC_ERR_SVC_UNAVAILABLE [error 29]"]);
    }

    [Fact]
    public async Task Faults_wait_for_their_exchange_and_happen_in_order()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"], password: Password)
            .Service("HTTP/app")
            .Fail(KdcFault.Error(KerberosErrorCode.Policy), KerberosExchange.S4U2Self)
            .Fail(KdcFault.Error(KerberosErrorCode.Generic), KerberosExchange.S4U2Self);
        var client = new WireClient(realm, "gw", Password);
        var tgt = await client.LogOnAsync();
        (await Should.ThrowAsync<InvalidOperationException>(() => client.SelfAsync(tgt, "ada"))).Message.ShouldBe("Policy");
        (await Should.ThrowAsync<InvalidOperationException>(() => client.SelfAsync(tgt, "ada"))).Message.ShouldBe("Generic");
        (await client.SelfAsync(tgt, "ada")).Reply.Client.ToString().ShouldBe("ada");
    }

    [Fact]
    public async Task Heal_removes_the_faults_that_have_not_happened()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password).Fail(KdcFault.Close, times: int.MaxValue).Heal();
        await new WireClient(realm, "gw", Password).LogOnAsync();
        realm.Transcript.ShouldBe(["AS gw ok"]);
    }

    [Fact]
    public async Task Rogue_replies_wait_for_a_reply_and_are_named_in_the_transcript()
    {
        await using var realm = TestRealm.Start().User("ada").User("eve").Account("gw", password: Password)
            .Fail(KdcFault.TicketOfAnotherUser("eve").And(KdcFault.NoSignedUser), KerberosExchange.S4U2Self);
        var client = new WireClient(realm, "gw", Password);
        var evidence = await client.SelfAsync(await client.LogOnAsync(), "ada");
        evidence.Reply.Client.ToString().ShouldBe("eve");
        evidence.Reply.PaData.ShouldBeEmpty();
        realm.Transcript[^1].ShouldBe("SELF ada>gw ok [ticket of eve, no signed user]");
    }

    [Fact]
    public async Task An_ordinary_ticket_names_the_account_itself()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", password: Password)
            .Fail(KdcFault.OrdinaryTicket, KerberosExchange.S4U2Self);
        var client = new WireClient(realm, "gw", Password);
        (await client.SelfAsync(await client.LogOnAsync(), "ada")).Reply.Client.ToString().ShouldBe("gw");
    }

    [Fact]
    public async Task Every_fault_of_delivery_has_its_effect()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password);
        var whole = await RawAsync(realm);
        var length = BinaryPrimitives.ReadInt32BigEndian(whole);
        length.ShouldBe(whole.Length - 4);

        (await RawAsync(realm.Fail(KdcFault.Close))).ShouldBeEmpty();
        (await RawAsync(realm.Fail(KdcFault.Interrupt(3)))).Length.ShouldBe(3);
        var truncated = await RawAsync(realm.Fail(KdcFault.Truncate(10)), expected: 14);
        truncated.ShouldBe([0, 0, 0, 10, .. whole.AsSpan(4, 10)]);
        (await RawAsync(realm.Fail(KdcFault.ClaimLength(0x7FFFFFFF)), whole.Length)).AsSpan(0, 4).ToArray()
            .ShouldBe([0x7F, 0xFF, 0xFF, 0xFF]);
        (await RawAsync(realm.Fail(KdcFault.Drip), whole.Length)).Length.ShouldBe(whole.Length);
        (await RawAsync(realm.Fail(KdcFault.FlipBit(0)), whole.Length))[4].ShouldBe((byte)(whole[4] ^ 1));
        KrbError.Is((await RawAsync(realm.Fail(KdcFault.Garbage.And(KdcFault.FlipBit(0))), whole.Length)).AsMemory(4)).ShouldBeFalse();
        (await RawAsync(realm.Fail(KdcFault.Delay(TimeSpan.FromMilliseconds(1))), whole.Length)).Length.ShouldBe(whole.Length);
    }

    [Fact]
    public async Task A_silent_KDC_keeps_the_connection_open()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password).Fail(KdcFault.Silent);
        var client = new WireClient(realm, "gw", Password);
        using var connection = await ConnectAsync(realm);
        var request = Frame(new KdcRequestMessage(KdcMessageType.AsRequest, [], client.AsBody().Encode()).Encode());
        await connection.GetStream().WriteAsync(request, Stop);
        await connection.GetStream().WriteAsync(request, Stop); // the second one is answered, on the same connection
        var prefix = new byte[4];
        await connection.GetStream().ReadExactlyAsync(prefix, Stop);
        BinaryPrimitives.ReadInt32BigEndian(prefix).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_reply_too_big_for_UDP_is_sent_over_TCP()
    {
        await using var realm = TestRealm.Start().Account("gw").Fail(KdcFault.TooBigForUdp, times: int.MaxValue);
        var options = new S4UClientOptions { Realm = realm.Name, Account = realm.CreateServiceAccount("gw"),
            Kdcs = { [realm.Name] = [realm.UdpEndpoint] } };
        await using var client = new S4UClient(options);
        await client.LogOnAsync(Stop);
        realm.Transcript.ShouldBe(["AS gw KRB_ERR_RESPONSE_TOO_BIG [too big for UDP]", "AS gw KRB_ERR_RESPONSE_TOO_BIG [too big for UDP]",
            "AS gw ok"]);
    }

    [Fact]
    public async Task Bytes_that_are_no_request_get_no_answer()
    {
        await using var realm = TestRealm.Start();
        using var connection = await ConnectAsync(realm);
        await connection.GetStream().WriteAsync(Frame([1, 2, 3]), Stop);
        (await connection.GetStream().ReadAsync(new byte[1], Stop)).ShouldBe(0);
        realm.Transcript.ShouldHaveSingleItem().ShouldStartWith("? ");
    }

    /// <summary>Reads all bytes until the KDC closes the connection, or as many as are expected.</summary>
    private static async Task<byte[]> RawAsync(TestRealm realm, int expected = int.MaxValue)
    {
        var client = new WireClient(realm, "gw", Password);
        using var connection = await ConnectAsync(realm);
        var stream = connection.GetStream();
        await stream.WriteAsync(Frame(new KdcRequestMessage(KdcMessageType.AsRequest, [], client.AsBody().Encode()).Encode()), Stop);
        if (expected == int.MaxValue)
            connection.Client.Shutdown(SocketShutdown.Send);
        var received = new List<byte>();
        var buffer = new byte[4096];
        int count;
        while (received.Count < expected && (count = await stream.ReadAsync(buffer, Stop)) > 0)
            received.AddRange(buffer.AsSpan(0, count));
        return [.. received];
    }

    private static async Task<TcpClient> ConnectAsync(TestRealm realm)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync(realm.Endpoint.Host, realm.Endpoint.Port, Stop);
        return connection;
    }

    private static byte[] Frame(byte[] message)
    {
        var framed = new byte[4 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, message.Length);
        message.CopyTo(framed, 4);
        return framed;
    }
}
