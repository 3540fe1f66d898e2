using KcdDelegation.DirectoryServices.Tests.Servers;

namespace KcdDelegation.DirectoryServices.Tests.Connections;

/// <summary>What the whole process allocates while a server lies. The server is in the same process, so its own messages are in the
/// numbers: the limits are multiples of the client's bounds. No other test may run meanwhile.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    private const int Bound = 1 << 20;

    public static TheoryData<string> Lies => ["large values", "empty entries", "many values", "many attributes", "references", "pages"];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_server_that_sends_without_end_cannot_make_the_client_allocate_without_end(string lie)
    {
        await using var directory = new TestDirectory(options =>
        {
            options.MaxResultLength = Bound;
            // Each page costs a round trip, in which the server waits for an acknowledgment.
            options.MaxEntries = lie == "pages" ? 50 : options.MaxEntries;
        });
        // Both sides are compiled, and the ticket is there.
        await directory.SearchAsync();
        var count = 0;
        directory.Server.Answer = request => lie == "pages"
            ? [LdapAnswers.Entry(request.Id, "CN=x"), LdapAnswers.Done(request.Id, cookie: BitConverter.GetBytes(count++))]
            : Enumerable.Repeat(CreateMessage(request.Id, lie), int.MaxValue);
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var error = await Should.ThrowAsync<DirectoryException>(() => directory.SearchAsync(pageSize: lie == "pages" ? 10 : 0));

        error.Failure.ShouldBe(DirectoryFailure.TooLarge, error.Message);
        (GC.GetTotalAllocatedBytes(precise: true) - before).ShouldBeLessThan(64L * Bound);
    }

    [Theory]
    [InlineData(new byte[] { 0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x30, 0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x30, 0x83, 0xFF, 0xFF, 0xFF })]
    public async Task A_message_that_claims_to_be_huge_is_refused_before_memory_is_taken(byte[] head)
    {
        await using var directory = new TestDirectory();
        // Both sides are compiled, and the ticket is there.
        await directory.SearchAsync();
        directory.Server.Answer = _ => [head];
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var error = await Should.ThrowAsync<DirectoryException>(() => directory.SearchAsync());

        error.Failure.ShouldBe(DirectoryFailure.TooLarge, error.Message);
        error.Message.ShouldContain("longer than");
        (GC.GetTotalAllocatedBytes(precise: true) - before).ShouldBeLessThan(2 << 20);
    }

    private static byte[] CreateMessage(int id, string lie) => lie switch
    {
        "large values" => LdapAnswers.Entry(id, "CN=x", ("cn", [new byte[50_000]])),
        "empty entries" => LdapAnswers.Entry(id, ""),
        "many values" => LdapAnswers.Entry(id, "CN=x", ("cn", [.. Enumerable.Repeat(Array.Empty<byte>(), 20_000)])),
        "many attributes" => LdapAnswers.Entry(id, "CN=x", [.. Enumerable.Repeat(("a", Array.Empty<byte[]>()), 10_000)]),
        _ => LdapAnswers.Reference(id, "ldap://x"),
    };
}
